"""Nobody speaks for an agent that is not theirs, nor under a name that LKPS keeps for itself."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import jwt
import pytest

from dev.platform import Platform
from tests.e2e.parts.guest import joined
from tests.e2e.parts.lkps import Answer, Lkps, new_agent_name
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables
from tests.e2e.parts.worker import working
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually

SESSIONS = 5


async def test_a_second_application_cannot_register_the_name(
    lkps: Lkps, agent_name: str, tables: Tables
) -> None:
    await lkps.register(agent_name, "agent")

    refused = await lkps.register(agent_name, "other-agent")

    assert (refused.status, refused.code) == (403, "agent_not_runnable")
    (registration,) = await tables.registrations(agent_name)
    assert registration["holder"]["oid"] == _oid(lkps, "agent")
    (row,) = await tables.trail(agent_name=agent_name, action="request.refused")
    assert row["oid"] == _oid(lkps, "other-agent")
    assert row["outcome"] == "refused"


async def test_the_agent_server_of_a_second_application_ends_without_having_worked(
    platform: Platform, lkps: Lkps, agents: AgentLauncher, agent_name: str
) -> None:
    await lkps.register(agent_name, "agent")
    agents.environment |= platform.agent_environment("other-agent")

    impostor = await agents.echo()

    assert await impostor.ended() == 1
    assert "agent_not_runnable" in impostor.output
    assert '"registered worker"' not in impostor.output


@pytest.mark.parametrize("deployment", ["", "production", "a" * 52])
async def test_a_worker_that_claims_another_agents_name_on_livekit_gets_no_job(
    platform: Platform, lkps: Lkps, rooms: Rooms, agent_name: str, deployment: str
) -> None:
    impostors = await lkps.register(new_agent_name(), "other-agent")
    rightful = await lkps.register(agent_name, "agent")
    url = platform.livekit_url

    async with working(url, impostors["token"], agent_name, deployment) as impostor:
        alone = await lkps.start(agent_name)
        async with working(url, rightful["token"], agent_name, rightful["deployment"]) as worker:
            started = [await lkps.start(agent_name) for _ in range(SESSIONS)]
            await eventually(lambda: len(worker.offered) == SESSIONS)

        assert {job.room.name for job in worker.offered} == {one["room_name"] for one in started}
        assert await rooms.jobs(alone["room_name"]) == []
        assert impostor.offered == []


async def test_an_agents_own_secret_opens_no_other_agents_door(
    platform: Platform, lkps: Lkps, agent_name: str
) -> None:
    other = await lkps.register(new_agent_name(), "other-agent")
    rightful = await lkps.register(agent_name, "agent")
    url = platform.livekit_url

    async with AsyncExitStack() as workers:
        impostor, worker = [
            await workers.enter_async_context(
                working(url, one["token"], agent_name, one["deployment"])
            )
            for one in (other, rightful)
        ]
        await lkps.start(agent_name)
        await eventually(lambda: worker.offered)

        assert impostor.offered == []


@pytest.mark.parametrize(
    "members",
    [
        {"participant_identity": "agent-AJ_1234"},
        {"participant_identity": "Agent-AJ_1234"},
        {"participant_identity": "lkps-user-aaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"participant_identity": "LKPS"},
        {"participant_identity": "lk.agent"},
        {"participant_attributes": {"lkps.user_oid": "somebody"}},
        {"participant_attributes": {"LKPS.user_oid": "somebody"}},
        {"participant_attributes": {"lkpsx": "1"}},
        {"participant_attributes": {"lk.agent_name": "concierge"}},
        {"participant_attributes": {"agent-name": "concierge"}},
    ],
    ids=str,
)
async def test_reserved_identities_and_attributes_are_refused(
    lkps: Lkps, rooms: Rooms, agent_name: str, members: dict[str, object]
) -> None:
    await lkps.register(agent_name)

    body = {"agent_name": agent_name, **members}
    refused = await lkps.call("client", "POST", "session/start", body)

    (member,) = members
    assert (refused.status, refused.code) == (422, "body_invalid")
    assert refused.json["errors"][0]["pointer"].startswith(f"/{member}")
    assert await rooms.of_agent(agent_name) == set()


async def test_a_user_does_not_choose_an_identity(lkps: Lkps, agent_name: str) -> None:
    await lkps.register(agent_name)

    refused = await lkps.start(agent_name, "alice", participant_identity="bob")
    derived = await lkps.start(agent_name, "alice")

    assert (refused.status, refused.code) == (422, "body_invalid")
    assert derived["participant_identity"].startswith("lkps-user-")


async def test_the_routing_secret_is_nowhere_but_with_its_agent(
    platform: Platform, lkps: Lkps, agents: AgentLauncher, agent_name: str, tables: Tables
) -> None:
    agent = await agents.echo("start", "--log-level", "debug")
    await agent.is_connected()
    secret = (await lkps.register(agent_name, "agent"))["deployment"]
    started = await lkps.start(agent_name, wait_for_agent=10)
    async with joined(started["livekit_url"], started["participant_token"]) as guest:
        assert await guest.exchange(b"hello") == b"hello"
        (seen,) = guest.agents
        in_the_room = f"{guest.room.metadata} {seen.identity} {seen.metadata} {seen.attributes}"
    on_joining = str(await _join_response(started))
    claims = jwt.decode(started["participant_token"], options={"verify_signature": False})
    answers = [
        started,
        await lkps.show(started["session_id"]),
        await lkps.call("admin", "GET", f"agents/{agent_name}"),
        await lkps.end(started["session_id"]),
    ]
    await agent.stop()
    stored = [str(row) for table in _TABLES for row in await tables.rows(table)]

    assert '"deployment": "***"' in agent.output  # LiveKit's own line with it is there, masked
    for text in (in_the_room, on_joining, str(stored), *map(str, answers)):
        assert agent_name in text
        assert secret not in text
    for text in (str(claims), agent.output, platform.service.printed()):
        assert secret not in text


_TABLES = ("agents", "registrations", "sessions", "audit")


async def _join_response(started: Answer) -> bytes:
    """All that LiveKit tells a participant that joins, as it comes over the wire."""
    query = {"access_token": started["participant_token"], "protocol": "9", "auto_subscribe": "1"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{started['livekit_url']}/rtc", params=query) as socket,
        asyncio.timeout(10),
    ):
        return await socket.receive_bytes()


def _oid(lkps: Lkps, who: str) -> str:
    return lkps.platform.identities[who].object_id
