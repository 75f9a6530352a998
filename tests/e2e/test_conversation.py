"""The main job: an agent and a client, neither with a LiveKit key, meet and talk."""

import hashlib
import json

from dev.platform import Platform
from tests.e2e.parts.caller_program import client_program
from tests.e2e.parts.gateway import Gateway, forwarding
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually


async def test_an_agent_and_a_client_without_any_livekit_key_meet_and_talk(
    platform: Platform, agents: AgentLauncher, agent_name: str, rooms: Rooms, tables: Tables
) -> None:
    async with forwarding(platform.lkps_url) as gateway:
        agents.environment["LKPS_URL"] = gateway.url
        agent = await agents.echo()
        await agent.is_connected()

        async with client_program(platform.agent_environment("client"), agent_name) as client:
            started = await client.reaches("started")
            joined = await client.reaches("joined")
            await client.reaches("echoed")
            heard = await client.reaches("heard")
            dispatches = await rooms.dispatches(started["room_name"])
            environments = [*agent.environments(), client.environment]
            client.goes_on()
            ended = await client.reaches("ended")
            await client.reaches("disconnected")
            assert await client.ends() == 0
        await eventually(lambda: _is_gone(rooms, started["room_name"]))
        assert await agent.stop() == 0

    assert started["status"] == 200
    assert started["agent_status"] == "joined"
    assert joined["room"] == started["room_name"]
    assert joined["identity"] == started["participant_identity"]
    assert 435 <= heard["hertz"] <= 445
    assert len(heard["agents"]) == 1
    assert len(dispatches) == 1
    assert ended["state"] == "ended"
    assert ended["cause"] == "ended_by_starter"
    _require_no_key(platform, environments)
    await _require_trail(tables, agent_name, _agent_token_sha256(gateway), started)


async def _is_gone(rooms: Rooms, room_name: str) -> bool:
    return room_name not in await rooms.names()


def _require_no_key(platform: Platform, environments: list[bytes]) -> None:
    assert len(environments) >= 3  # the worker, at least one process below it, and the client
    key = platform.livekit.api_key
    for environment in environments:
        assert b"AZURE_CLIENT_SECRET=" in environment  # it is an environment that can be read
        for never in (b"LIVEKIT_API", key.key.encode(), key.secret.encode(), b"LKPS_SECRET"):
            assert never not in environment


def _agent_token_sha256(gateway: Gateway) -> str:
    (registered,) = [one for one in gateway.passed if one.path.endswith("/agent/register")]
    return hashlib.sha256(json.loads(registered.answer)["token"].encode()).hexdigest()


async def _require_trail(
    tables: Tables, agent_name: str, agent_token_sha256: str, started: dict[str, str]
) -> None:
    rows = await tables.trail(agent_name=agent_name)

    assert [row["action"] for row in rows] == [
        "agent.claimed",
        "agent.registered",
        "session.authorized",
        "session.ended",
        "agent.deregistered",
    ]
    _, registered, authorized, session_ended, _ = rows
    assert all(row["outcome"] == "success" for row in rows)
    assert [row["number"] for row in rows] == sorted({row["number"] for row in rows})
    assert registered["token_sha256"] == agent_token_sha256
    assert authorized["token_sha256"] == started["token_sha256"]
    assert authorized["participant_identity"] == started["participant_identity"]
    for row in (authorized, session_ended):
        assert row["session_id"] == started["session_id"]
        assert row["room_name"] == started["room_name"]
    await tables.require_gapless_streams()
