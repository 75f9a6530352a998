"""Two processes of the service, asked in the same moment, behave as one."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable

import pytest
import pytest_asyncio

from dev.platform import Platform
from tests.e2e.parts.guest import joined
from tests.e2e.parts.lkps import Answer, Lkps, new_agent_name
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables

ROUNDS = 10


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def second_url(platform: Platform) -> AsyncIterator[str]:
    async with platform.service_process() as second:
        yield second.url


@pytest.fixture
def second(lkps: Lkps, second_url: str) -> Lkps:
    return lkps.at(second_url)


@pytest.mark.parametrize("pair", [("agent", "other-agent"), ("alice", "bob")], ids=str)
async def test_of_two_registrations_of_a_new_name_one_gets_it(
    lkps: Lkps, second: Lkps, tables: Tables, pair: tuple[str, str]
) -> None:
    one, other = pair
    await asyncio.gather(lkps.access_token(one), lkps.access_token(other))
    for name in (new_agent_name() for _ in range(ROUNDS)):
        answers = await asyncio.gather(lkps.register(name, one), second.register(name, other))

        assert sorted(answer.status for answer in answers) == [200, 403]
        refused = next(answer for answer in answers if answer.status == 403)
        winner = one if answers[0].status == 200 else other
        assert refused.code == "agent_not_runnable"
        await _require_only(lkps, tables, name, winner)


async def test_registrations_of_one_application_in_the_same_moment_all_succeed(
    lkps: Lkps, second: Lkps, tables: Tables, agent_name: str
) -> None:
    """Replicas of an agent start together: the name is theirs, whoever claimed it first."""
    answers = await asyncio.gather(
        *(service.register(agent_name) for service in (lkps, second) for _ in range(5))
    )

    assert {answer.status for answer in answers} == {200}
    assert len({answer["registration_id"] for answer in answers}) == 10
    assert len(await tables.registrations(agent_name)) == 10
    assert len(await tables.trail(agent_name=agent_name, action="agent.claimed")) == 1


async def test_one_start_sent_to_both_with_one_key_is_one_session(
    lkps: Lkps, second: Lkps, rooms: Rooms, tables: Tables, agent_name: str
) -> None:
    await lkps.register(agent_name)
    for _ in range(ROUNDS):
        rooms_before = await rooms.of_agent(agent_name)
        key = str(uuid.uuid4())
        answers = await asyncio.gather(
            lkps.start(agent_name, key=key), second.start(agent_name, key=key)
        )

        room_name, session_id = answers[0]["room_name"], answers[0]["session_id"]
        assert (answers[1]["room_name"], answers[1]["session_id"]) == (room_name, session_id)
        assert await rooms.of_agent(agent_name) - rooms_before == {room_name}
        assert len(await rooms.dispatches(room_name)) == 1
        await _require_recorded(tables, session_id, answers)
    assert len(await tables.sessions(agent_name)) == ROUNDS


async def test_both_answers_to_one_start_join_its_room(
    lkps: Lkps, second: Lkps, agent_name: str
) -> None:
    await lkps.register(agent_name)
    answers = await asyncio.gather(
        lkps.start(agent_name, key="twice"), second.start(agent_name, key="twice")
    )

    for answer in answers:
        async with joined(answer["livekit_url"], answer["participant_token"]) as guest:
            assert guest.room.name == answers[0]["room_name"]
            assert guest.me.identity == answer["participant_identity"]


async def test_another_body_under_the_same_key_is_refused_by_either(
    lkps: Lkps, second: Lkps, rooms: Rooms, tables: Tables, agent_name: str
) -> None:
    await lkps.register(agent_name)
    started = await lkps.start(agent_name, key="one-body")

    answers = await asyncio.gather(
        *(service.start(agent_name, key="one-body", metadata="new") for service in (lkps, second))
    )

    for answer in answers:
        assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert await rooms.of_agent(agent_name) == {started["room_name"]}
    assert len(await rooms.dispatches(started["room_name"])) == 1
    (row,) = await tables.sessions(agent_name)
    assert row["state"] == "open"


async def test_two_bodies_under_one_key_in_the_same_moment_start_one_session(
    lkps: Lkps, second: Lkps, rooms: Rooms, agent_name: str
) -> None:
    await lkps.register(agent_name)
    for key in (str(uuid.uuid4()) for _ in range(ROUNDS)):
        before = await rooms.of_agent(agent_name)
        answers = await asyncio.gather(
            lkps.start(agent_name, key=key, metadata="one"),
            second.start(agent_name, key=key, metadata="other"),
        )

        assert sorted(answer.status for answer in answers) == [200, 422]
        winner = next(answer for answer in answers if answer.status == 200)
        assert await rooms.of_agent(agent_name) - before == {winner["room_name"]}


async def test_one_key_of_two_callers_is_two_sessions(
    lkps: Lkps, second: Lkps, agent_name: str
) -> None:
    await lkps.register(agent_name)

    one, other = await asyncio.gather(
        lkps.start(agent_name, "client", key="the-same"),
        second.start(agent_name, "other-client", key="the-same"),
    )

    assert one["session_id"] != other["session_id"]


async def test_a_session_that_one_ended_is_over_for_the_other(
    lkps: Lkps, second: Lkps, rooms: Rooms, agent_name: str
) -> None:
    await lkps.register(agent_name)
    started = await lkps.start(agent_name, key="over")
    ended = await asyncio.gather(
        *(service.end(started["session_id"]) for service in (lkps, second, lkps, second))
    )

    repeat = await second.start(agent_name, key="over")

    assert {answer.status for answer in ended} <= {200, 409}
    assert 200 in {answer.status for answer in ended}
    assert (repeat.status, repeat.code) == (409, "session_ended")
    assert (await second.show(started["session_id"]))["state"] == "ended"
    assert await rooms.of_agent(agent_name) == set()


async def _require_only(lkps: Lkps, tables: Tables, agent_name: str, winner: str) -> None:
    identity = lkps.platform.identities[winner]
    agent = await tables.agent(agent_name)
    assert agent is not None
    itself = {"tid": lkps.platform.tenant_id, "oid": identity.object_id}
    assert agent["runners"] == [itself]
    assert agent["owners"] == ([itself] if identity.kind == "user" else [])
    (registration,) = await tables.registrations(agent_name)
    assert registration["holder"] == itself
    (claimed,) = await tables.trail(agent_name=agent_name, action="agent.claimed")
    assert claimed["oid"] == identity.object_id


async def _require_recorded(tables: Tables, session_id: str, answers: Iterable[Answer]) -> None:
    rows = await tables.trail(session_id=session_id, action="session.authorized")
    recorded = {row["token_sha256"] for row in rows}
    assert {answer.token_sha256 for answer in answers} <= recorded
