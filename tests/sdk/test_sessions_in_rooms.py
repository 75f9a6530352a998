"""What an agent knows of its session, in rooms of the real livekit-server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dev.demo.caller import Caller
from tests.sdk.parts.agent import Agent, AgentLauncher
from tests.sdk.parts.livekit import LiveKit
from tests.sdk.parts.lkps import LkpsDouble
from tests.sdk.test_callers import USER


@pytest.fixture
async def agent(agents: AgentLauncher) -> Agent:
    agent = await agents.start("tests/sdk/programs/session_agent.py")
    await agent.is_connected()
    return agent


def of_session(ends_at: datetime) -> dict[str, str]:
    return {**USER, "lkps.ends_at": f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"}


@pytest.mark.parametrize("seconds", [302, 62])
async def test_an_agent_is_warned_of_the_end_and_knows_who_called(
    agent: Agent, lkps: LkpsDouble, livekit: LiveKit, caller: Caller, seconds: int
) -> None:
    room = await livekit.create_room("session", lkps.routing_secret())
    session_id = room.removeprefix("tests--")
    ends_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)

    await caller.join(livekit.url, livekit.participant_token(room, "someone", of_session(ends_at)))

    await agent.says(f"{session_id} ends in {seconds - 2} s")
    await agent.says(f"{session_id} Caller(client_app_id='{USER['lkps.client_app_id']}'")
    await agent.says(f"user_oid='{USER['lkps.user_oid']}') {ends_at}")
    assert agent.output.count("ends in") == 1


async def test_an_agent_that_joins_late_is_warned_once_and_at_once(
    agent: Agent, lkps: LkpsDouble, livekit: LiveKit, caller: Caller, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    room = await livekit.create_room("session", lkps.routing_secret(), str(go))
    ends_at = datetime.now(UTC) + timedelta(seconds=40)
    await caller.join(livekit.url, livekit.participant_token(room, "someone", of_session(ends_at)))

    go.touch()

    await agent.says(f"user_oid='{USER['lkps.user_oid']}')")
    await agent.says(f"{room.removeprefix('tests--')} ends in ")
    assert agent.output.count("ends in") == 1


async def test_a_guest_that_lkps_did_not_send_is_no_caller_and_has_no_end(
    agent: Agent, lkps: LkpsDouble, livekit: LiveKit, caller: Caller
) -> None:
    room = await livekit.create_room("session", lkps.routing_secret())

    await caller.join(livekit.url, livekit.participant_token(room, "someone"))

    await agent.says(f"{room.removeprefix('tests--')} None None")
