"""The example's backend: its frontend's user talks to the agent."""

import asyncio

from dev.platform import Platform
from tests.e2e.parts.backend import backend
from tests.e2e.parts.guest import joined
from tests.e2e.parts.lkps import Lkps
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.agent import AgentLauncher


async def test_a_signed_in_user_talks_to_the_agent_through_a_backend_without_a_livekit_key(
    platform: Platform, agents: AgentLauncher, agent_name: str
) -> None:
    agent = await agents.echo()
    await agent.is_connected()
    async with backend(platform.agent_environment("client"), agent_name) as running:
        status, headers, answer = await running.starts_session(id="alice-17", name="Alice")
        environment = running.environment
    async with joined(answer["livekit_url"], answer["participant_token"]) as guest:
        echo = await asyncio.wait_for(guest.exchange(b"hello"), 20)
        me = (guest.me.identity, guest.me.name)

    assert status == 200
    assert answer.keys() == {"livekit_url", "participant_token"}
    assert headers["Cache-Control"] == "no-store"
    assert echo == b"hello"
    assert me == ("alice-17", "Alice")
    assert b"AZURE_CLIENT_SECRET=" in environment  # it is an environment that can be read
    assert b"LIVEKIT_API" not in environment


async def test_who_is_not_signed_in_starts_nothing(
    platform: Platform, lkps: Lkps, agent_name: str, tables: Tables
) -> None:
    await lkps.register(agent_name)
    async with backend(platform.agent_environment("client"), agent_name) as running:
        status, _, said = await running.starts_session(name="Alice")

    assert (status, said) == (401, "sign in first")
    assert await tables.sessions(agent_name) == []


async def test_while_there_are_too_many_sessions_the_frontend_is_told_when_to_come_back(
    platform: Platform, lkps: Lkps, agent_name: str
) -> None:
    await lkps.register(agent_name)
    changed = await lkps.call(
        "admin", "PATCH", f"agents/{agent_name}", {"max_sessions": 1}, {"If-Match": "*"}
    )
    assert changed.status == 200, changed.body
    async with backend(platform.agent_environment("client"), agent_name) as running:
        first, _, _ = await running.starts_session(id="alice-17")
        status, headers, answer = await running.starts_session(id="bob-4")

    assert first == 200
    assert status == 503
    assert int(headers["Retry-After"]) == 10
    assert answer == {"error": "The agent is busy. Try again in a moment."}
