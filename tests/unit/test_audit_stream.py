"""The process's stream of rows: in order, without gaps, durable before anyone is told."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from lkps_core.adapters.memory_trail import MemoryTrailRows
from lkps_core.audit import Event, Stream, stream
from lkps_core.audit.event import row_bytes
from lkps_core.errors import AuditUnavailable, RateLimited, StorageUnavailable
from tests.builders.conditions import until
from tests.builders.lkps import FakeClock
from tests.builders.stepping import SteppingTrail

pytestmark = pytest.mark.usefixtures("impatient")


class Written:
    """A stream over a table whose calls can be stopped."""

    def __init__(self) -> None:
        self.clock = FakeClock(datetime(2026, 3, 14, 23, 59, 58, tzinfo=UTC))
        self.table = SteppingTrail(MemoryTrailRows())
        self.stream = Stream(self.table, "stream-id", "1.0", self.clock)

    def event(self, reason: str = "any") -> Event:
        return Event(at=self.clock(), action="request.refused", outcome="refused", reason=reason)

    def reasons(self, day: str = "2026-03-14") -> dict[int, str]:
        rows = self.table.rows.get(f"{day}_stream-id", {})
        return {number: json.loads(row)["reason"] for number, row in rows.items()}


@pytest.fixture
def written() -> Written:
    return Written()


async def test_rows_are_numbered_from_nought_without_gaps_in_the_order_they_came(
    written: Written,
) -> None:
    await asyncio.gather(*(written.stream.record(written.event(f"{n}")) for n in range(100)))
    assert written.reasons() == {number: str(number) for number in range(100)}


async def test_a_row_that_is_alone_goes_out_alone(written: Written) -> None:
    await written.stream.record(written.event())
    await written.stream.record(written.event())
    assert written.table.calls == [1, 1]


async def test_rows_that_wait_together_go_out_together(written: Written) -> None:
    stop = written.table.steps.stop("append", "before")
    first = asyncio.create_task(written.stream.record(written.event()))
    await stop.reached.wait()
    others = [asyncio.create_task(written.stream.record(written.event())) for _ in range(70)]
    await asyncio.sleep(0)
    stop.release()
    await asyncio.gather(first, *others)
    assert written.table.calls == [1, 16, 16, 16, 16, 6]


def by(written: Written, oid: str) -> Event:
    return replace(written.event(oid), tid="tenant", oid=oid)


async def test_one_principal_fills_a_tenth_of_the_queue_at_the_most_and_others_go_on(
    written: Written,
) -> None:
    stop = written.table.steps.stop("append", "before")
    first = asyncio.create_task(written.stream.record(written.event("first")))
    await stop.reached.wait()
    greedy = [
        asyncio.create_task(written.stream.record(by(written, "greedy")))
        for _ in range(stream.MOST_OF_ONE)
    ]
    await asyncio.sleep(0)
    assert stream.MOST_OF_ONE * 10 <= stream.CAPACITY
    with pytest.raises(RateLimited):
        await written.stream.record(by(written, "greedy"))
    modest = asyncio.create_task(written.stream.record(by(written, "modest")))
    stop.release()
    await asyncio.gather(first, *greedy, modest)
    await written.stream.record(by(written, "greedy"))  # there is room for it again
    assert len(written.reasons()) == stream.MOST_OF_ONE + 3


async def test_while_nothing_becomes_durable_nobody_is_told_that_it_is_their_fault(
    written: Written,
) -> None:
    written.table.down = True
    many = (written.stream.record(by(written, "greedy")) for _ in range(3 * stream.MOST_OF_ONE))
    first = asyncio.gather(*many, return_exceptions=True)
    await until(lambda: written.stream._is_failing)
    with pytest.raises(AuditUnavailable):
        await written.stream.record(by(written, "greedy"))
    await first


async def test_whoever_gives_up_waiting_makes_room_for_their_next_row(written: Written) -> None:
    written.table.down = True
    for _ in range(2):
        waiting = (written.stream.record(by(written, "greedy")) for _ in range(stream.MOST_OF_ONE))
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, AuditUnavailable | RateLimited)
    written.table.down = False
    await until(lambda: not written.stream._waiting)
    await written.stream.record(by(written, "greedy"))


async def test_nobody_is_told_before_the_row_is_durable(written: Written) -> None:
    stop = written.table.steps.stop("append", "after")
    recording = asyncio.create_task(written.stream.record(written.event()))
    await stop.reached.wait()
    await asyncio.sleep(0)
    assert not recording.done()
    stop.release()
    await recording


async def test_a_batch_whose_answer_was_lost_is_sent_again_and_stands_once(
    written: Written,
) -> None:
    written.table.steps.fail("append", StorageUnavailable(reason="lost"), when="after")
    await written.stream.record(written.event("first"))
    await written.stream.record(written.event("second"))
    assert written.reasons() == {0: "first", 1: "second"}
    assert written.table.calls == [1, 1, 1]


async def test_while_the_table_is_down_nobody_is_told_otherwise(written: Written) -> None:
    written.table.down = True
    with pytest.raises(AuditUnavailable) as refused:
        await written.stream.record(written.event())
    assert refused.value.reason == "the trail did not become durable in time"


async def test_a_batch_on_its_way_is_finished_though_its_callers_gave_up(written: Written) -> None:
    written.table.down = True
    with pytest.raises(AuditUnavailable):
        await written.stream.record(written.event("given up"))
    written.table.down = False
    await written.stream.record(written.event("later"))
    assert written.reasons() == {0: "given up", 1: "later"}


async def test_a_row_whose_caller_gave_up_before_its_turn_takes_no_number(
    written: Written,
) -> None:
    stop = written.table.steps.stop("append", "before")
    first = asyncio.create_task(written.stream.record(written.event("first")))
    await stop.reached.wait()
    second = asyncio.create_task(written.stream.record(written.event("second")))
    for given_up in (first, second):
        with pytest.raises(AuditUnavailable):
            await given_up
    stop.release()
    await written.stream.record(written.event("third"))
    assert written.reasons() == {0: "first", 1: "third"}


async def test_what_does_not_fit_into_the_queue_is_refused_and_not_lost(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CAPACITY", 3)
    stop = written.table.steps.stop("append", "before")
    first = asyncio.create_task(written.stream.record(written.event("first")))
    await stop.reached.wait()
    others = [asyncio.create_task(written.stream.record(written.event())) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(AuditUnavailable) as refused:
        await written.stream.record(written.event("one too many"))
    assert refused.value.reason == "the trail's queue is full"
    stop.release()
    await asyncio.gather(first, *others)
    assert "one too many" not in written.reasons().values()


async def test_numbers_begin_anew_each_day(written: Written) -> None:
    for _ in range(2):
        await written.stream.record(written.event("before midnight"))
    written.clock.pass_by(2)
    await written.stream.record(written.event("after midnight"))
    assert written.reasons() == {0: "before midnight", 1: "before midnight"}
    assert written.reasons("2026-03-15") == {0: "after midnight"}


async def test_a_batch_that_midnight_overtakes_stays_in_its_day(written: Written) -> None:
    await written.stream.record(written.event("early"))
    written.table.down = True
    recording = asyncio.create_task(written.stream.record(written.event("late")))
    await until(lambda: len(written.table.calls) >= 2)
    written.clock.pass_by(2)
    written.table.down = False
    await recording
    assert written.reasons() == {0: "early", 1: "late"}


async def test_the_stream_is_drained_once_every_row_is_durable(written: Written) -> None:
    stop = written.table.steps.stop("append", "before")
    recording = asyncio.create_task(written.stream.record(written.event()))
    await stop.reached.wait()
    drained = asyncio.create_task(written.stream.drained())
    await asyncio.sleep(0)
    assert not drained.done()
    stop.release()
    await drained
    await recording
    assert written.reasons() == {0: "any"}


async def test_an_idle_stream_is_drained_at_once(written: Written) -> None:
    await written.stream.drained()


def test_a_rows_bytes_are_the_same_whenever_they_are_made() -> None:
    at = datetime(2026, 3, 14, 10, 26, 53, 7, tzinfo=timezone(timedelta(hours=1)))
    change = {"owners": ["b", "a"], "mode": "open"}
    event = Event(at=at, action="session.ended", outcome="success", reason="été", after=change)
    row = row_bytes(event, stream="2026-03-14_a", number=3, application="1.0")
    assert row.decode() == (
        '{"action":"session.ended","after":{"mode":"open","owners":["b","a"]},"application":"1.0",'
        '"at":"2026-03-14T09:26:53.000007Z","number":3,"outcome":"success","reason":"été",'
        '"schema":1,"stream":"2026-03-14_a"}'
    )


async def test_a_stream_is_announced_before_its_first_row_and_once_a_day(
    written: Written,
) -> None:
    stop = written.table.steps.stop("append", "before")
    recording = asyncio.create_task(written.stream.record(written.event()))
    await stop.reached.wait()
    assert await written.table.streams("2026-03-14") == ["2026-03-14_stream-id"]
    stop.release()
    await recording
    written.clock.pass_by(60)
    await written.stream.record(written.event())
    assert await written.table.streams("2026-03-15") == ["2026-03-15_stream-id"]


async def test_two_processes_write_streams_of_their_own() -> None:
    table, clock = MemoryTrailRows(), FakeClock()
    event = Event(at=clock(), action="session.ended", outcome="success")
    for stream_id in ("one", "other"):
        await Stream(table, stream_id, "1.0", clock).record(event)
    assert {name: [*rows] for name, rows in table.rows.items()} == {
        "2026-03-14_one": [0],
        "2026-03-14_other": [0],
    }
