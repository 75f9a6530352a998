"""`lkps doctor` on the real platform: nothing is wrong, until something is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dev.platform import Platform, running
from tests.e2e.parts.commands import Commands
from tests.e2e.parts.lkps import Lkps
from tests.e2e.parts.rooms import Rooms
from tests.sdk.cli.parts.command import Ran
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncIterator[Platform]:
    """One whose LiveKit may go away."""
    async with running() as platform:
        yield platform


@pytest.fixture
def lkps_as(platform: Platform, tmp_path: Path) -> Commands:
    return Commands(platform, tmp_path)


def found(ran: Ran) -> dict[str, dict[str, str]]:
    return {one["step"]: one for one in ran.json["findings"]}


def states(ran: Ran, *steps: str) -> set[str]:
    return {found(ran)[step]["state"] for step in steps}


async def test_of_an_agents_application_nothing_is_wrong(lkps_as: Commands) -> None:
    ran = await lkps_as("agent", "doctor")

    assert "LKPS.Agent (runs agents)" in ran.out
    assert "Nothing is wrong" in ran.out


async def test_a_client_calls_the_agent_and_nothing_is_left(
    lkps_as: Commands, agents: AgentLauncher, agent_name: str, rooms: Rooms, lkps: Lkps
) -> None:
    agent = await agents.echo()
    await agent.is_connected()

    ran = await lkps_as("client", "doctor", "--agent", agent_name, "--call", "--json")

    session_id = found(ran)["test session"]["said"].partition(";")[0]
    assert states(ran, "grant", "test session", "LiveKit's WebSocket", "media over UDP") == {"ok"}
    assert "offers no TCP" in found(ran)["media over TCP"]["said"]
    assert (await lkps.show(session_id))["state"] == "ended"
    await eventually(lambda: _has_no_room(rooms, agent_name))


async def test_an_agent_that_does_not_run_is_a_finding(
    lkps_as: Commands, agent_name: str, lkps: Lkps
) -> None:
    registered = await lkps.register(agent_name)
    gone = f"agent/registrations/{registered['registration_id']}"
    await lkps.call("agent", "DELETE", gone)

    seen = await lkps_as("admin", "doctor", "--agent", agent_name, "--json", code=1)
    called = await lkps_as("client", "doctor", "--agent", agent_name, "--call", "--json", code=1)

    assert "no instance" in found(seen)["agent online"]["said"]
    assert "no instance of the agent is online" in found(called)["test session"]["said"]
    assert states(called, "media over UDP", "end of the session") == {"ok"}


async def test_an_administrator_is_told_of_livekits_configuration(lkps_as: Commands) -> None:
    ran = await lkps_as("admin", "doctor", "--platform", "--json")

    assert found(ran)["LiveKit's auto_create"]["said"].startswith("off")
    assert "LiveKit told LKPS of a room's end within" in found(ran)["LiveKit's webhooks"]["said"]


async def test_without_livekit_the_doctor_says_so_and_looks_at_all_else(
    platform: Platform, lkps_as: Commands, lkps: Lkps
) -> None:
    await platform.livekit.kill()
    await eventually(lambda: _is_not_ready(lkps))
    try:
        ran = await lkps_as("admin", "doctor", "--platform", "--json", code=1)
    finally:
        await platform.livekit.start()

    readiness = found(ran)["readiness"]
    assert "livekit (livekit_unavailable)" in readiness["said"]
    assert "LKPS_LIVEKIT_API_URL" in readiness["fix"]
    assert states(ran, "LiveKit's auto_create", "LiveKit's webhooks") == {"failed"}
    assert states(ran, "access token", "gateway", "clock", "accepted by LKPS") == {"ok"}


async def _is_not_ready(lkps: Lkps) -> bool:
    return (await lkps.send("GET", "health/ready")).status == 503


async def _has_no_room(rooms: Rooms, agent_name: str) -> bool:
    return await rooms.of_agent(agent_name) == set()
