"""What LKPS is told of jobs, by real workers with real processes in real rooms."""

import re
import time

import psutil
import pytest

from dev.demo.caller import Caller
from tests.sdk.parts.agent import Agent, AgentLauncher
from tests.sdk.parts.livekit import LiveKit
from tests.sdk.parts.lkps import LkpsDouble, Refusal
from tests.sdk.parts.waiting import eventually

PROGRAM = "tests/sdk/programs/ending_agent.py"
type Outcome = tuple[str, str | None]

ACCEPTED: Outcome = ("accepted", None)
COMPLETED: Outcome = ("completed", None)

OF_ITSELF: dict[str, Outcome] = {
    "raise at once": ("failed", "entrypoint_raised"),
    "raise": ("failed", "entrypoint_raised"),
    "exit at once": ("failed", "entrypoint_exited"),
    "exit": ("failed", "entrypoint_exited"),
    "shut down": COMPLETED,
}
OF_PROCESSES: dict[str, Outcome] = {
    "die": ("failed", "process_exit_3"),
    "be killed": ("failed", "process_exit_-9"),
    "shut down and die": COMPLETED,
}


class Stage:
    """A worker, and rooms with a job of it."""

    def __init__(self, agent: Agent, lkps: LkpsDouble, livekit: LiveKit) -> None:
        self.agent = agent
        self._told_of = lkps.told_of
        self._routing_secret = lkps.routing_secret
        self._livekit = livekit

    async def room(self, how_it_ends: str, name: str = "") -> str:
        return await self._livekit.create_room("ending", self._routing_secret(), how_it_ends, name)

    async def occupied(self, how_it_ends: str) -> str:
        """With the agent in it."""
        room = await self.room(how_it_ends)
        await self.agent.says(f"is in {room}")
        return room

    async def outcome(self, room: str) -> Outcome:
        """What LKPS was told last, which is its second report at most."""
        await eventually(lambda: self._told_of(room)[-1:] not in ([], [ACCEPTED]), 60)
        *before, outcome = self._told_of(room)
        assert before in ([], [ACCEPTED])
        return outcome

    def process_in(self, room: str) -> psutil.Process:
        found = re.search(rf"job process (\d+) is in {room}", self.agent.output)
        assert found is not None
        return psutil.Process(int(found[1]))


@pytest.fixture
async def stage(
    request: pytest.FixtureRequest, agents: AgentLauncher, lkps: LkpsDouble, livekit: LiveKit
) -> Stage:
    agent = await agents.start(PROGRAM, **getattr(request, "param", {}))
    await agent.is_connected()
    return Stage(agent, lkps, livekit)


@pytest.mark.parametrize(
    ("stage", "endings"),
    [
        ({"EXECUTOR": "forkserver"}, {**OF_ITSELF, **OF_PROCESSES}),
        ({"EXECUTOR": "spawn"}, {"raise": OF_ITSELF["raise"], "shut down": COMPLETED}),
        ({"EXECUTOR": "thread"}, OF_ITSELF),
    ],
    ids=["forkserver", "spawn", "thread"],
    indirect=["stage"],
)
async def test_lkps_is_told_how_each_job_ended_by_itself(
    stage: Stage, endings: dict[str, Outcome]
) -> None:
    told = {ending: await stage.outcome(await stage.room(ending)) for ending in endings}

    assert told == endings


@pytest.mark.parametrize(
    "stage", [{"EXECUTOR": "forkserver"}, {"EXECUTOR": "thread"}], ids=str, indirect=True
)
async def test_a_job_whose_room_is_over_is_completed_whatever_its_code_does_then(
    stage: Stage, livekit: LiveKit
) -> None:
    rooms = [await stage.occupied(way) for way in ("stay", "wait", "fail without a room")]

    for room in rooms:
        await livekit.delete_room(room)

    for room in rooms:
        assert await stage.outcome(room) == COMPLETED


async def test_a_job_that_everyone_has_left_is_completed(
    stage: Stage, livekit: LiveKit, caller: Caller
) -> None:
    room = await stage.occupied("stay")
    await caller.join(livekit.url, livekit.participant_token(room, "someone"))

    await caller.leave()

    assert await stage.outcome(room) == COMPLETED


async def test_a_job_whose_agent_is_removed_from_the_room_is_completed(
    stage: Stage, livekit: LiveKit, lkps: LkpsDouble
) -> None:
    room = await stage.occupied("stay")
    identity = lkps.jobs[0]["participant_identity"]

    await livekit.remove(room, identity)

    assert await stage.outcome(room) == COMPLETED


async def test_a_job_that_lost_livekit_has_failed(stage: Stage, livekit: LiveKit) -> None:
    room = await stage.occupied("stay")

    livekit.stop()

    assert await stage.outcome(room) == ("failed", "connection_lost")


async def test_a_killed_process_is_told_of_within_a_second(stage: Stage, lkps: LkpsDouble) -> None:
    room = await stage.occupied("stay")
    process = stage.process_in(room)

    killed = time.monotonic()
    process.kill()
    assert await stage.outcome(room) == ("failed", "process_exit_-9")

    assert time.monotonic() - killed < 1


async def test_a_failure_is_told_while_the_job_is_still_clearing_up(stage: Stage) -> None:
    room = await stage.occupied("raise and linger")

    assert await stage.outcome(room) == ("failed", "entrypoint_raised")

    assert stage.process_in(room).is_running()


@pytest.mark.parametrize(
    "stage", [{"HOW_TO_START": "raise"}, {"HOW_TO_START": "exit"}], ids=str, indirect=True
)
async def test_a_job_that_no_process_could_be_started_for_has_failed(stage: Stage) -> None:
    room = await stage.room("stay")

    assert await stage.outcome(room) == ("failed", "not_launched")


@pytest.mark.parametrize("stage", [{"DRAIN_SECONDS": "1"}], ids=["drain 1 s"], indirect=True)
async def test_a_job_that_the_worker_does_not_wait_for_has_failed(
    stage: Stage, lkps: LkpsDouble
) -> None:
    room = await stage.occupied("stay")

    assert await stage.agent.stop() == 0

    assert lkps.told_of(room)[-1] == ("failed", "worker_closed")


async def test_a_job_that_ends_while_the_worker_drains_is_told_of_after_deregistration(
    stage: Stage, livekit: LiveKit, lkps: LkpsDouble
) -> None:
    room = await stage.occupied("stay")
    (registration_id,) = lkps.live
    stage.agent.tell_to_end()
    await eventually(lambda: lkps.ended == [registration_id])

    await livekit.delete_room(room)

    assert await stage.agent.ended() == 0
    assert lkps.told_of(room) == [ACCEPTED, COMPLETED]
    assert {job["registration_id"] for job in lkps.jobs} == {registration_id}


@pytest.mark.parametrize("name", ["a-room", "tests--other--abc", "tests--ending"])
async def test_a_room_that_is_no_session_of_the_agent_is_not_spoken_of(
    stage: Stage, lkps: LkpsDouble, name: str
) -> None:
    await stage.room("shut down", name)
    await stage.agent.says('"process exiting"')
    room = await stage.room("shut down")
    assert await stage.outcome(room) == COMPLETED

    assert {job["session_id"] for job in lkps.jobs} == {room.removeprefix("tests--")}


async def test_jobs_go_on_while_lkps_is_away_and_their_outcome_is_told_when_it_is_back(
    stage: Stage, lkps: LkpsDouble
) -> None:
    lkps.refusal = Refusal(503)
    room = await stage.room("raise")
    await stage.agent.says("a job is not reported yet")
    await stage.agent.says("job crashed")

    lkps.refusal = None

    assert await stage.outcome(room) == ("failed", "entrypoint_raised")


async def test_an_accepted_job_is_told_of_while_it_runs(stage: Stage, lkps: LkpsDouble) -> None:
    room = await stage.occupied("stay")

    await eventually(lambda: lkps.told_of(room) == [ACCEPTED])


async def test_a_report_that_lkps_refuses_is_one_line_and_the_next_one_is_told(
    stage: Stage, lkps: LkpsDouble
) -> None:
    lkps.refusal = Refusal(404, "session_not_found", "the room is tests--ending--secret")
    await stage.room("stay")
    await stage.agent.says("a job is not reported: 404 session_not_found")
    lkps.refusal = None
    room = await stage.room("shut down")
    assert await stage.outcome(room) == COMPLETED

    assert stage.agent.output.count("a job is not reported") == 1
    assert "tests--ending--secret" not in stage.agent.output


async def test_a_report_says_nothing_but_which_job_and_what_became_of_it(
    stage: Stage, lkps: LkpsDouble
) -> None:
    room = await stage.room("raise")
    assert await stage.outcome(room) == ("failed", "entrypoint_raised")

    (registration_id,) = lkps.live
    identity = lkps.jobs[-1]["participant_identity"]
    assert identity.startswith("agent-AJ_")
    assert lkps.jobs[-1] == {
        "registration_id": registration_id,
        "session_id": room.removeprefix("tests--"),
        "participant_identity": identity,
        "outcome": "failed",
        "reason": "entrypoint_raised",
    }
