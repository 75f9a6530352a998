"""The book of open sessions: what it counts, from when, until when, and that it does not grow."""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from lkps_core.adapters.memory import MemoryRooms, MemorySessions
from lkps_core.errors import StorageUnavailable
from lkps_core.freshness import OLDEST, REFRESH_AFTER
from lkps_core.identity.principal import PrincipalId
from lkps_core.policy.model import Usage
from lkps_core.policy.usage import AGAIN_AFTER, SETTLED, UsageBook
from lkps_core.ports import Room
from lkps_core.sessions.model import Session, State
from tests.builders.conditions import until
from tests.builders.lkps import FakeClock
from tests.builders.tokens import NOW
from tests.unit.policy.parts.policies import AGENT_NAME, APPLICATION
from tests.unit.policy.parts.stepping import SteppingOpenSessions, SteppingStandingRooms

GRANT = "the grant"


@dataclass
class Process:
    """A process with its book, on a table and a LiveKit that it may share with others."""

    clock: FakeClock = field(default_factory=FakeClock)
    sessions: MemorySessions = field(default_factory=MemorySessions)
    rooms: MemoryRooms = field(default_factory=MemoryRooms)

    def __post_init__(self) -> None:
        self.book = UsageBook(self.sessions, self.rooms, self.clock, self.clock.monotonic)

    def another(self) -> "Process":
        return replace(self)

    def planned(self, name: str, attempt: str = "first", grant_id: str | None = GRANT) -> Session:
        return Session(
            id=f"{AGENT_NAME}--{name}",
            agent_name=AGENT_NAME,
            starter=PrincipalId(APPLICATION.tid, APPLICATION.oid),
            azp=APPLICATION.azp,
            room_name=f"test--{AGENT_NAME}--{name}",
            participant_identity="somebody",
            body_sha256="0",
            attempt=attempt,
            created_at=self.clock(),
            ends_at=self.clock() + timedelta(hours=4),
            token_until=self.clock() + timedelta(minutes=5),
            grant_id=grant_id,
        )

    async def start(self, name: str, **changes: object) -> Session:
        session = replace(self.planned(name), **changes)  # type: ignore[arg-type]
        self.book.begin(session)
        await self.sessions.add(session)
        await self.rooms.create(Room(session.room_name, 360, AGENT_NAME, "deployment", ""))
        self.book.stands(session)
        return session

    async def end(self, session: Session, state: State = "ended") -> None:
        stored = await self.sessions.get(session.partition, session.key)
        assert stored is not None
        ended = replace(stored.row, state=state)
        await self.sessions.replace(ended, stored.etag)
        await self.rooms.delete(session.room_name)
        self.book.is_over(ended)

    async def counted(self, **more: str) -> int:
        return (
            await self.book.of(AGENT_NAME, self.clock(), apart_from=more.get("apart_from"))
        ).of_agent

    async def exactly(self) -> int:
        return (await self.book.exactly(AGENT_NAME, self.clock())).of_agent


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
async def warm() -> Process:
    """It has just read that no session is open."""
    process = Process()
    assert await process.counted() == 0
    return process


# A process's own sessions.


async def test_a_session_counts_before_its_row_is_durable(warm: Process) -> None:
    warm.book.begin(warm.planned("one"))
    assert await warm.counted() == 1


async def test_a_session_counts_while_what_is_remembered_is_older_than_it(warm: Process) -> None:
    await warm.start("one")
    warm.clock.pass_by(OLDEST - 0.1)
    assert await warm.counted() == 1


async def test_a_session_is_not_counted_twice_once_its_row_is_read(warm: Process) -> None:
    await warm.start("one")
    for _ in range(10):
        warm.clock.pass_by(1)
        assert await warm.counted() == 1


async def test_a_session_whose_row_is_read_before_it_is_known_to_be_durable_counts_once(
    warm: Process,
) -> None:
    session = warm.planned("one")
    warm.book.begin(session)
    await warm.sessions.add(session)
    warm.clock.pass_by(OLDEST)
    assert await warm.counted() == 1
    warm.book.stands(session)
    assert await warm.counted() == 1


async def test_a_session_counts_that_a_reading_under_way_did_not_see() -> None:
    table = SteppingOpenSessions(MemorySessions())
    process = Process(sessions=table)
    stop = table.steps.stop("live_of", "after")
    reading = asyncio.create_task(process.counted())
    await stop.reached.wait()
    process.clock.pass_by(1)
    await process.start("one")
    stop.release()
    assert await reading == 1
    assert await process.counted() == 1


async def test_sessions_count_by_the_grant_that_they_were_started_under(warm: Process) -> None:
    await warm.start("one")
    await warm.start("two", grant_id="another")
    await warm.start("three", grant_id=None)
    await warm.start("four")
    expected = Usage(4, {GRANT: 2, "another": 1})
    assert await warm.book.of(AGENT_NAME, NOW) == expected
    warm.clock.pass_by(OLDEST)
    assert await warm.book.of(AGENT_NAME, NOW) == expected


async def test_the_session_that_is_asked_for_is_not_in_its_own_way(warm: Process) -> None:
    session = await warm.start("one")
    assert await warm.counted(apart_from=session.id) == 0
    warm.clock.pass_by(OLDEST)
    assert await warm.counted(apart_from=session.id) == 0
    usage = await warm.book.exactly(AGENT_NAME, NOW, apart_from=session.id)
    assert usage == Usage(0, {})


async def test_sessions_of_one_agent_do_not_count_for_another(warm: Process) -> None:
    await warm.start("one")
    warm.book.begin(replace(warm.planned("two"), agent_name="pharmacist"))
    assert await warm.counted() == 1
    assert (await warm.book.of("pharmacist", NOW)).of_agent == 1


# When a start fails.


async def test_a_start_that_fails_gives_its_place_back_at_once(warm: Process) -> None:
    session = warm.planned("one")
    warm.book.begin(session)
    warm.book.is_over(session)
    assert await warm.counted() == 0


async def test_a_start_that_fails_gives_its_place_back_though_its_row_was_read_meanwhile(
    warm: Process,
) -> None:
    session = warm.planned("one")
    warm.book.begin(session)
    etag = await warm.sessions.add(session)
    warm.clock.pass_by(OLDEST)
    assert await warm.counted() == 1
    await warm.sessions.remove(session, etag)
    warm.book.is_over(session)
    assert await warm.counted() == 0


async def test_a_repeat_that_stands_counts_though_the_start_before_it_failed_meanwhile(
    warm: Process,
) -> None:
    first, repeat = warm.planned("one"), warm.planned("one", attempt="second")
    warm.book.begin(first)
    warm.book.begin(repeat)
    warm.book.is_over(first)
    warm.book.stands(repeat)
    assert await warm.counted() == 1


@pytest.mark.parametrize("read_meanwhile", [False, True])
async def test_a_repeat_that_fails_leaves_its_session_counted(
    warm: Process, read_meanwhile: bool
) -> None:
    await warm.start("one")
    if read_meanwhile:
        warm.clock.pass_by(OLDEST)
        assert await warm.counted() == 1
    repeat = warm.planned("one", attempt="second")
    warm.book.begin(repeat)
    assert await warm.counted() == 1
    warm.book.is_over(repeat)
    assert await warm.counted() == 1


async def test_a_repeat_in_another_process_that_fails_leaves_the_session_counted(
    process: Process,
) -> None:
    await process.start("one")
    other = process.another()
    assert await other.counted() == 1
    repeat = process.planned("one", attempt="second")
    other.book.begin(repeat)
    other.book.is_over(repeat)
    assert await other.counted() == 1


async def test_a_session_that_a_repeat_joined_counts_though_its_own_start_fails(
    warm: Process,
) -> None:
    first, repeat = warm.planned("one"), warm.planned("one", attempt="second")
    warm.book.begin(first)
    await warm.sessions.add(first)
    warm.book.begin(repeat)
    warm.book.stands(repeat)
    warm.book.is_over(first)
    assert await warm.counted() == 1


async def test_a_session_counts_against_the_grant_in_its_row_whatever_a_repeat_was_granted_by(
    warm: Process,
) -> None:
    await warm.start("one")
    warm.clock.pass_by(OLDEST)
    assert await warm.counted() == 1
    repeat = warm.planned("one", attempt="second", grant_id="another")
    warm.book.begin(repeat)
    warm.book.stands(repeat)
    assert await warm.book.of(AGENT_NAME, NOW) == Usage(1, {GRANT: 1})


# When a session ends.


async def test_ending_a_session_frees_its_place_at_once(warm: Process) -> None:
    session = await warm.start("one")
    await warm.end(session)
    assert await warm.counted() == 0


async def test_ending_a_session_frees_its_place_though_it_is_remembered_as_open(
    warm: Process,
) -> None:
    session = await warm.start("one")
    warm.clock.pass_by(OLDEST)
    assert await warm.counted() == 1
    await warm.end(session)
    assert await warm.counted() == 0
    warm.clock.pass_by(1)
    assert await warm.counted() == 0


async def test_ending_a_session_frees_its_place_though_a_repeat_had_joined_it(
    process: Process,
) -> None:
    session = await process.start("one")
    other = process.another()
    assert await other.counted() == 1
    repeat = process.planned("one", attempt="second")
    other.book.begin(repeat)
    other.book.stands(repeat)
    await other.end(session)
    assert await other.counted() == 0


async def test_a_session_that_is_started_anew_after_its_start_failed_counts(warm: Process) -> None:
    failed = warm.planned("one")
    warm.book.begin(failed)
    warm.book.is_over(failed)
    await warm.start("one", attempt="second")
    assert await warm.counted() == 1
    warm.clock.pass_by(OLDEST)
    assert await warm.counted() == 1


@pytest.mark.parametrize("state", ["ending", "ended", "abandoned"])
async def test_only_open_sessions_count(process: Process, state: State) -> None:
    await process.end(await process.start("one"), state)
    assert await process.another().counted() == 0


async def test_a_session_past_its_end_does_not_count(process: Process) -> None:
    session = await process.start("one", ends_at=NOW + timedelta(seconds=60))
    other = process.another()
    process.clock.pass_by(59.5)
    assert await other.counted() == 1
    process.clock.pass_by(0.5)
    assert process.clock() == session.ends_at
    assert await other.counted() == 0


# Sessions of other processes.


async def test_another_processs_sessions_are_seen_after_5_s_at_most(process: Process) -> None:
    other = process.another()
    assert await other.counted() == 0
    await process.start("one")
    assert await other.counted() == 0
    process.clock.pass_by(OLDEST)
    assert await other.counted() == 1


async def test_that_another_process_ended_a_session_is_seen_after_5_s_at_most(
    process: Process,
) -> None:
    session = await process.start("one")
    other = process.another()
    assert await other.counted() == 1
    await process.end(session)
    process.clock.pass_by(OLDEST)
    assert await other.counted() == 0


async def test_a_process_that_knows_nothing_yet_reads(process: Process) -> None:
    await process.start("one")
    assert await process.another().counted() == 1


async def test_a_count_in_use_is_read_anew_in_the_background(process: Process) -> None:
    other = process.another()
    assert await other.counted() == 0
    await process.start("one")
    process.clock.pass_by(REFRESH_AFTER)
    reads = len(process.sessions.calls)
    assert await other.counted() == 0
    await until(lambda: len(process.sessions.calls) > reads)
    await asyncio.sleep(0)
    assert await other.counted() == 1


async def test_a_session_counts_though_a_slower_reading_is_older_than_it() -> None:
    """A newer one has seen it and the book has let go of it: the older one must not decide."""
    table = SteppingOpenSessions(MemorySessions())
    process = Process(sessions=table)
    stop = table.steps.stop("live_of", "after")
    slow = asyncio.create_task(process.counted())
    await stop.reached.wait()
    process.clock.pass_by(1)
    await process.start("one")
    process.clock.pass_by(1)
    assert await process.counted() == 1
    stop.release()
    assert await slow == 1


async def test_a_session_counts_though_livekit_was_slow_to_tell_of_others() -> None:
    rooms = SteppingStandingRooms(MemoryRooms())
    process = Process(rooms=rooms)
    await process.start("old")
    process.clock.pass_by(SETTLED.total_seconds())
    stop = rooms.steps.stop("standing", "before")
    slow = asyncio.create_task(process.exactly())
    await stop.reached.wait()
    process.clock.pass_by(1)
    await process.start("one")
    process.clock.pass_by(1)
    assert await process.exactly() == 2
    stop.release()
    assert await slow == 2


# What a refusal rests on: rooms that LiveKit has closed do not count.


async def closed_by_livekit(process: Process, session: Session) -> None:
    """As when everyone has left: the row does not know of it."""
    await process.rooms.delete(session.room_name)


async def test_a_session_whose_room_is_gone_counts_until_a_limit_is_reached(
    process: Process,
) -> None:
    session = await process.start("one")
    await process.start("two")
    await closed_by_livekit(process, session)
    process.clock.pass_by(SETTLED.total_seconds())
    assert await process.counted() == 2
    assert await process.exactly() == 1
    assert await process.counted() == 1


async def test_a_room_may_be_missing_while_its_session_is_young(process: Process) -> None:
    session = await process.start("one")
    await closed_by_livekit(process, session)
    process.clock.pass_by(SETTLED.total_seconds() - 0.1)
    assert await process.exactly() == 1
    process.clock.pass_by(AGAIN_AFTER)
    assert await process.exactly() == 0


async def test_of_young_sessions_alone_livekit_is_asked_nothing(process: Process) -> None:
    await process.start("one")
    assert await process.exactly() == 1
    assert "standing" not in process.rooms.calls


async def test_closed_rooms_are_left_out_of_whatever_was_read_a_moment_ago(
    process: Process,
) -> None:
    """The first refusal of a process rests on what its decision has just read."""
    session = await process.start("one")
    await closed_by_livekit(process, session)
    process.clock.pass_by(SETTLED.total_seconds())
    assert await process.counted() == 1
    assert await process.exactly() == 0


async def test_closed_rooms_are_left_out_again_after_a_refresh(process: Process) -> None:
    session = await process.start("one")
    await closed_by_livekit(process, session)
    process.clock.pass_by(SETTLED.total_seconds())
    assert await process.exactly() == 0
    process.clock.pass_by(REFRESH_AFTER)
    reads = len(process.sessions.calls)
    await process.counted()
    await until(lambda: len(process.sessions.calls) > reads)
    await asyncio.sleep(0)
    process.clock.pass_by(AGAIN_AFTER / 2)
    assert await process.exactly() == 0


async def test_a_room_that_a_repeat_made_again_counts(process: Process) -> None:
    session = await process.start("one")
    await closed_by_livekit(process, session)
    process.clock.pass_by(SETTLED.total_seconds())
    assert await process.exactly() == 0
    repeat = process.planned("one", attempt="second")
    process.book.begin(repeat)
    process.book.stands(repeat)
    assert await process.counted() == 1


@pytest.mark.parametrize("seconds", [0.0, AGAIN_AFTER])
async def test_without_livekit_every_open_session_counts(
    process: Process, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    caplog.set_level(logging.WARNING)
    session = await process.start("one")
    await closed_by_livekit(process, session)
    process.clock.pass_by(SETTLED.total_seconds())
    await process.counted()
    process.rooms.down = True
    process.clock.pass_by(seconds)
    assert await process.exactly() == 1
    assert [record.message for record in caplog.records] == [
        "open sessions' rooms could not be seen"
    ]


async def test_once_livekit_is_back_closed_rooms_are_left_out(process: Process) -> None:
    session = await process.start("one")
    await closed_by_livekit(process, session)
    process.clock.pass_by(SETTLED.total_seconds())
    process.rooms.down = True
    assert await process.exactly() == 1
    process.rooms.down = False
    process.clock.pass_by(AGAIN_AFTER)
    assert await process.exactly() == 0


async def test_what_another_process_ended_frees_its_place_for_who_would_be_refused(
    process: Process,
) -> None:
    session = await process.start("one")
    other = process.another()
    assert await other.counted() == 1
    await process.end(session)
    process.clock.pass_by(AGAIN_AFTER)
    assert await other.counted() == 1
    assert await other.exactly() == 0


async def test_refusals_one_after_the_other_read_once_a_second(process: Process) -> None:
    session = await process.start("one")
    process.clock.pass_by(SETTLED.total_seconds())
    table, livekit = len(process.sessions.calls), len(process.rooms.calls)
    for _ in range(300):
        assert await process.exactly() == 1
        process.clock.pass_by(0.01)
    assert process.sessions.calls[table:] == ["live_of"] * 3
    assert process.rooms.calls[livekit:] == ["standing"] * 3
    assert session.room_name in process.rooms.rooms


async def test_refusals_ask_a_livekit_that_is_down_once_a_second(process: Process) -> None:
    await process.start("one")
    process.clock.pass_by(SETTLED.total_seconds())
    process.rooms.down = True
    livekit = len(process.rooms.calls)
    for _ in range(300):
        assert await process.exactly() == 1
        process.clock.pass_by(0.01)
    assert process.rooms.calls[livekit:] == ["standing"] * 3


# When the table is down.


async def test_what_is_remembered_counts_for_5_s_without_the_table(warm: Process) -> None:
    await warm.start("one")
    warm.sessions.down = True
    warm.clock.pass_by(OLDEST - 0.1)
    assert await warm.counted() == 1
    warm.clock.pass_by(0.1)
    with pytest.raises(StorageUnavailable):
        await warm.counted()


async def test_a_refusal_needs_the_table_once_its_reading_is_a_second_old(warm: Process) -> None:
    warm.sessions.down = True
    assert await warm.exactly() == 0
    warm.clock.pass_by(AGAIN_AFTER)
    with pytest.raises(StorageUnavailable):
        await warm.exactly()


async def test_without_the_table_a_process_that_knows_nothing_counts_nothing(
    process: Process,
) -> None:
    process.sessions.down = True
    for asked in (process.counted, process.exactly):
        with pytest.raises(StorageUnavailable):
            await asked()


# The book does not grow.


def held(book: UsageBook) -> int:
    """Sessions that the book remembers by itself, beside what was read."""
    return sum(len(one) for book_of in (book._own, book._over) for one in book_of.values())


async def test_a_thousand_sessions_that_came_and_went_are_forgotten(warm: Process) -> None:
    for number in range(1000):
        session = await warm.start(f"{number}")
        await warm.counted()
        await warm.end(session)
        warm.clock.pass_by(0.5)
    assert held(warm.book) <= 2 * OLDEST / 0.5 + 2
    warm.clock.pass_by(2 * OLDEST)
    assert await warm.counted() == 0
    assert held(warm.book) == 0


async def test_a_thousand_sessions_that_stand_are_held_by_their_rows_alone(warm: Process) -> None:
    for number in range(1000):
        await warm.start(f"{number}")
    warm.clock.pass_by(2 * OLDEST)
    assert await warm.counted() == 1000
    assert held(warm.book) == 0


async def test_starts_that_fail_are_forgotten(warm: Process) -> None:
    for number in range(1000):
        session = warm.planned(f"{number}")
        warm.book.begin(session)
        warm.book.is_over(session)
    warm.clock.pass_by(2 * OLDEST)
    assert await warm.counted() == 0
    assert held(warm.book) == 0


async def test_what_ends_where_nothing_is_counted_is_not_remembered(process: Process) -> None:
    for number in range(100):
        process.book.is_over(process.planned(f"{number}"))
    assert held(process.book) == 0
