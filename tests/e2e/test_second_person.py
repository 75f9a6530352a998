"""A second person in the room: with an access token of their own, and the starter's invitation."""

import asyncio
from contextlib import AbstractAsyncContextManager

from livekit import rtc

from tests.e2e.parts.guest import Guest, joined
from tests.e2e.parts.lkps import Answer, Lkps
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually


async def test_two_people_see_each_other_as_who_they_are(
    lkps: Lkps, agents: AgentLauncher, agent_name: str, tables: Tables
) -> None:
    agent = await agents.echo("start")
    await agent.is_connected()
    started = await lkps.start(agent_name, "alice", participant_name="Alice", wait_for_agent=10)
    session_id = started["session_id"]
    invitation = await lkps.invite(session_id, "alice")
    let_in = await lkps.join(session_id, "bob", invitation=invitation, participant_name="Bob")

    async with _joined(started) as alice, _joined(let_in) as bob:
        hers, his = await asyncio.gather(
            _sees(alice, let_in["participant_identity"]),
            _sees(bob, started["participant_identity"]),
        )
        assert await bob.exchange(b"hello") == b"hello"
        assert [one.identity for one in alice.agents] == [one.identity for one in bob.agents]
    rows = await tables.trail(session_id=session_id, action="session.authorized")

    assert (hers.name, his.name) == ("Bob", "Alice")
    assert _oids(hers, his) == [_oid(lkps, "bob"), _oid(lkps, "alice")]
    for one in (hers, his):
        assert one.attributes["lkps.session_id"] == session_id
    assert [row["oid"] for row in rows] == [_oid(lkps, "alice"), _oid(lkps, "bob")]
    assert [row["token_sha256"] for row in rows] == [started.token_sha256, let_in.token_sha256]
    assert invitation not in str([rows, await tables.rows("sessions")])


async def test_of_a_crowd_with_one_invitation_one_comes_in(lkps: Lkps, agent_name: str) -> None:
    await lkps.register(agent_name)
    started = await lkps.start(agent_name, "alice")
    session_id = started["session_id"]
    invitation = await lkps.invite(session_id, "alice")
    crowd = ("bob", "carol", "client", "other-client", "crm-backend")

    answers = await asyncio.gather(
        *(lkps.join(session_id, who, invitation=invitation) for who in crowd)
    )

    assert sorted(answer.status for answer in answers) == [200, 403, 403, 403, 403]
    assert {answer.code for answer in answers} == {None, "invitation_invalid"}
    (who,) = [one for one, answer in zip(crowd, answers, strict=True) if answer.status == 200]
    assert (await lkps.join(session_id, who)).status == 200
    assert (await lkps.show(session_id, who))["participant_identity"] != started[
        "participant_identity"
    ]
    assert (await lkps.end(session_id, who)).status == 404
    assert (await lkps.end(session_id, "alice")).status == 200
    assert (await lkps.join(session_id, who)).code == "session_ended"


async def test_somebody_who_lost_the_connection_comes_back_as_the_same_participant(
    lkps: Lkps, agents: AgentLauncher, agent_name: str
) -> None:
    agent = await agents.echo("start")
    await agent.is_connected()
    started = await lkps.start(agent_name, "alice", wait_for_agent=10)
    async with _joined(started) as alice:
        assert await alice.exchange(b"hello") == b"hello"
    again = await lkps.join(started["session_id"], "alice")
    async with _joined(again) as alice:
        assert await alice.exchange(b"back") == b"back"
        assert alice.me.identity == started["participant_identity"]


async def test_an_agents_owner_lists_its_sessions(lkps: Lkps, agent_name: str) -> None:
    await lkps.register(agent_name)
    ids = sorted([(await lkps.start(agent_name, who))["session_id"] for who in ("alice", "bob")])

    async def listed(who: str, query: str = "") -> list[str]:
        path = f"sessions?agent_name={agent_name}{query}"
        return [one["session_id"] for one in (await lkps.call(who, "GET", path))["sessions"]]

    assert await listed("admin") == ids
    assert {*await listed("alice"), *await listed("bob")} == {*ids}
    assert await listed("client") == []
    await lkps.end(ids[0], "admin")
    assert await listed("admin", "&state=open") == [ids[1]]
    assert await listed("admin", "&state=ended") == [ids[0]]


def _joined(answer: Answer) -> AbstractAsyncContextManager[Guest]:
    return joined(answer["livekit_url"], answer["participant_token"])


async def _sees(guest: Guest, identity: str) -> rtc.RemoteParticipant:
    await eventually(lambda: identity in guest.room.remote_participants)
    return guest.room.remote_participants[identity]


def _oids(*participants: rtc.RemoteParticipant) -> list[str]:
    return [one.attributes["lkps.user_oid"] for one in participants]


def _oid(lkps: Lkps, who: str) -> str:
    return lkps.platform.identities[who].object_id
