"""The SDK's wheel on the newest release of every minor of livekit-agents in range, for real."""

import re
import tomllib
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from dev.demo.caller import Caller
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.distributions import built
from tests.sdk.parts.livekit import ROOT, LiveKit
from tests.sdk.parts.lkps import LkpsDouble
from tests.sdk.parts.minors import MINORS, Minor, with_sdk
from tests.sdk.parts.tap import Tap
from tests.sdk.parts.waiting import eventually

pytestmark = pytest.mark.timeout(600)  # the first time, environments are made

ENDINGS = {
    "raise": ("failed", "entrypoint_raised"),
    "exit at once": ("failed", "entrypoint_exited"),
    "be killed": ("failed", "process_exit_-9"),
    "shut down": ("completed", None),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=MINORS)
def minor(request: pytest.FixtureRequest, wheel: Path) -> Minor:
    return with_sdk(request.param, wheel)


@pytest.fixture
def agents(agents: AgentLauncher, minor: Minor) -> AgentLauncher:
    agents.python, agents.source = minor.python, ""
    return agents


def test_every_minor_in_range_is_tested() -> None:
    project = tomllib.loads((ROOT / "sdk/python/pyproject.toml").read_text())["project"]
    (ranged,) = [
        one
        for one in project["optional-dependencies"]["agents"]
        if one.startswith("livekit-agents")
    ]
    bounds = re.fullmatch(r"livekit-agents>=1\.(\d+),<1\.(\d+)", ranged)

    assert bounds is not None
    assert [f"1.{number}" for number in range(*map(int, bounds.groups()))] == MINORS


async def test_an_agent_lives_from_registration_to_a_drained_shutdown(
    agents: AgentLauncher,
    lkps: LkpsDouble,
    livekit: LiveKit,
    tap: Tap,
    caller: Caller,
    minor: Minor,
) -> None:
    lkps.renew_after, lkps.always_new_token = 1, True
    agent = await agents.echo()
    await agent.is_connected()
    assert f'"version": "{minor.release}"' in agent.output
    room = await livekit.create_room("echo", lkps.routing_secret())
    await eventually(lambda: livekit.agents_in(room))
    joined = await livekit.agents_in(room)
    await caller.join(livekit.url, livekit.participant_token(room, "someone"))
    assert await caller.exchange(b"hello") == b"hello"

    lkps.routing_version = 2
    await eventually(lambda: lkps.renewals[-1]["routing_version"] == 2)
    tap.cut_workers()
    await agent.is_connected(times=3)
    fresh = await _served_room(livekit, lkps)
    environments = agent.environments()
    agent.tell_to_end()
    await eventually(lambda: lkps.ended)
    assert await caller.exchange(b"still here") == b"still here"
    assert await livekit.agents_in(room) == joined
    for one in (room, fresh):
        await livekit.delete_room(one)

    assert await agent.ended() == 0
    assert tap.workers[-1].authorization.removeprefix("Bearer ") in lkps.tokens[2:]
    for one in (room, fresh):
        assert lkps.told_of(one) == [("accepted", None), ("completed", None)]
    assert len(lkps.registrations) == len(lkps.ended) == 1
    said = [agent.output.encode(), *environments]
    secrets = [livekit.secret, "LIVEKIT_API", lkps.routing_secret(1), lkps.routing_secret(2), "eyJ"]
    assert [one for one in secrets for text in said if one.encode() in text] == []


async def test_lkps_is_told_how_jobs_ended(
    agents: AgentLauncher, lkps: LkpsDouble, livekit: LiveKit
) -> None:
    agent = await agents.start("tests/sdk/programs/ending_agent.py")
    await agent.is_connected()
    secret = lkps.routing_secret()
    rooms = {ending: await livekit.create_room("ending", secret, ending) for ending in ENDINGS}
    waiting = await livekit.create_room("ending", secret, "wait")
    await agent.says(f"is in {waiting}")

    for ending, outcome in ENDINGS.items():
        await eventually(partial(_is_over, lkps, rooms[ending]), 60)
        assert lkps.told_of(rooms[ending])[-1] == outcome
    assert lkps.told_of(waiting) == [("accepted", None)]


def _is_over(lkps: LkpsDouble, room: str) -> bool:
    return lkps.told_of(room)[-1:] not in ([], [("accepted", None)])


async def _served_room(livekit: LiveKit, lkps: LkpsDouble) -> str:
    """LiveKit may give a job to a connection that was just cut; LKPS would dispatch again."""
    for _ in range(5):
        room = await livekit.create_room("echo", lkps.routing_secret())
        with suppress(AssertionError):
            await eventually(partial(livekit.agents_in, room), 5)
            return room
    raise AssertionError("no job reaches the agent")
