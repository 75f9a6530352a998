"""What an agent knows of its session and when it is warned of the end, in memory."""

import asyncio
from datetime import timedelta

import pytest
from livekit import rtc

from lkps.retries import Clock
from lkps.sessions import OnEnding, Session
from tests.sdk.parts.job import MemoryJob, MemoryParticipant
from tests.sdk.parts.registrar import START, MovedClock
from tests.sdk.parts.waiting import eventually

OTHERS = [
    rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS,
]


def ends_in(
    seconds: float, kind: rtc.ParticipantKind.ValueType = MemoryParticipant.kind
) -> MemoryParticipant:
    ends_at = START + timedelta(seconds=seconds)
    return MemoryParticipant({"lkps.ends_at": f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"}, kind)


class SessionBench:
    """A session with its surroundings."""

    def __init__(self, room_name: str = "tests--concierge--abc") -> None:
        self.clock = MovedClock()
        self.job = MemoryJob(room_name)
        self.session = Session(
            self.job.context, clock=Clock(now=self.clock.now, sleep=self.clock.sleep)
        )
        self.warned: list[float] = []

    async def warns(self, seconds: float, *, joined_after: float = 0) -> list[float]:
        """Of a session that long, all that time brings."""
        self.session.on_ending(self.warned.append)
        self.clock.time += timedelta(seconds=joined_after)
        self.clock.allow(10)
        await self.job.join(ends_in(seconds))
        await eventually(lambda: self.warned and not self.session._tasks)
        return self.warned


async def test_a_session_is_named_before_anyone_has_joined_and_its_end_is_known_after() -> None:
    bench = SessionBench()
    assert bench.session.id == "concierge--abc"
    assert (bench.session.ends_at, bench.session.time_left) == (None, None)

    await bench.job.join(ends_in(90))
    bench.clock.time += timedelta(seconds=30)

    assert bench.session.ends_at == START + timedelta(seconds=90)
    assert bench.session.time_left == 60


async def test_the_end_is_known_of_whoever_was_there_before_and_after_all_have_left() -> None:
    job = MemoryJob()
    await job.join(ends_in(90))
    session = Session(job.context)
    assert session.ends_at == START + timedelta(seconds=90)

    job.room.remote_participants.clear()

    assert session.ends_at == START + timedelta(seconds=90)


async def test_no_time_is_left_of_a_session_that_is_over() -> None:
    bench = SessionBench()
    await bench.job.join(ends_in(-5))

    assert bench.session.time_left == 0


@pytest.mark.parametrize("kind", OTHERS)
async def test_only_people_are_believed(kind: rtc.ParticipantKind.ValueType) -> None:
    bench = SessionBench()
    await bench.job.join(ends_in(90, kind))

    assert bench.session.ends_at is None


async def test_in_a_room_that_is_no_session_nobody_is_believed() -> None:
    bench = SessionBench("console")
    await bench.job.join(ends_in(90))

    assert (bench.session.id, bench.session.ends_at) == (None, None)


@pytest.mark.parametrize(
    ("seconds", "warned"),
    [
        (3600, [300, 60]),
        (300, [300, 60]),
        (299, [60]),
        (60, [60]),
        (59, [59]),
        (30, [30]),
        (0, [0]),
    ],
)
async def test_an_agent_is_warned_five_minutes_and_a_minute_before_the_end(
    seconds: float, warned: list[float]
) -> None:
    assert await SessionBench().warns(seconds) == warned


@pytest.mark.parametrize(("joined_after", "warned"), [(3400, [60]), (3570, [30]), (3700, [0])])
async def test_what_is_past_when_someone_joins_is_not_made_up_for(
    joined_after: float, warned: list[float]
) -> None:
    assert await SessionBench().warns(3600, joined_after=joined_after) == warned


async def test_a_warning_is_asked_for_after_someone_has_joined() -> None:
    bench = SessionBench()
    await bench.job.join(ends_in(60))
    bench.clock.allow(1)
    bench.session.on_ending(bench.warned.append)

    await eventually(lambda: bench.warned == [60])


async def test_a_second_guest_brings_no_second_warning() -> None:
    bench = SessionBench()
    assert await bench.warns(61) == [60]

    await bench.job.join(ends_in(61))
    assert bench.warned == [60]
    assert bench.clock.slept == [1]


async def test_a_long_goodbye_does_not_hold_up_the_next_warning() -> None:
    bench = SessionBench()

    async def say_goodbye(seconds_left: float) -> None:
        bench.warned.append(seconds_left)
        await asyncio.Event().wait()

    bench.clock.allow(2)
    bench.session.on_ending(say_goodbye)
    await bench.job.join(ends_in(3600))

    await eventually(lambda: bench.warned == [300, 60])
    await bench.job.shut_down()


def fail(_: float) -> None:
    raise RuntimeError("no goodbye")


async def fail_later(_: float) -> None:
    fail(_)


@pytest.mark.parametrize("callback", [fail, fail_later])
async def test_a_goodbye_that_fails_is_logged_and_the_next_one_comes(
    callback: OnEnding, caplog: pytest.LogCaptureFixture
) -> None:
    bench = SessionBench()
    bench.session.on_ending(callback)

    assert await bench.warns(61) == [60]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("how", ["its room is lost", "it is shut down"])
async def test_a_job_that_ends_is_warned_of_nothing_more(how: str) -> None:
    bench = SessionBench()
    bench.session.on_ending(bench.warned.append)
    await bench.job.join(ends_in(3600))
    (warning,) = bench.session._tasks

    bench.job.lose_room() if how == "its room is lost" else await bench.job.shut_down()

    await eventually(warning.done)
    assert warning.cancelled()
    assert bench.warned == []
