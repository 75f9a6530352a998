"""Refusals on the trail: the first as a row, repeats as one counted row, and none of them lost."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from lkps_core.audit import Event, RefusalLog, refusals
from lkps_core.errors import AuditUnavailable, RateLimited
from tests.builders.conditions import until
from tests.builders.lkps import AGENT, CLIENT, FakeClock, Lkps, app


@dataclass
class MemoryTrail:
    """A Trail that records at once, or after `gate`, or not at all."""

    down: bool = False
    gate: asyncio.Event | None = None
    rows: list[Event] = field(default_factory=list[Event])
    asked: int = 0

    async def record(self, event: Event) -> None:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise AuditUnavailable(reason="down")
        self.rows.append(event)


@dataclass
class FullTrail(MemoryTrail):
    """A Trail in which this principal has as many rows waiting as it may have."""

    full: bool = True

    async def record(self, event: Event) -> None:
        if self.full:
            raise RateLimited(reason="share_of_the_trail")
        await super().record(event)


class Counted:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.trail = MemoryTrail()
        self.log = RefusalLog(self.trail, self.clock)

    async def refuse(self, times: int = 1, **members: str | None) -> None:
        for _ in range(times):
            self.clock.pass_by(0.25)
            await self.log.record(self.event(**members))

    def event(self, **members: str | None) -> Event:
        known: dict[str, Any] = {
            "kind": "app",
            "tid": "tenant",
            "oid": "object",
            "azp": "application",
            "agent_name": "concierge",
            "reason": "agent_unknown",
            "outcome": "refused",
        }
        return Event(at=self.clock(), action="request.refused", **{**known, **members})

    async def unauthenticated(self, reason: str = "token_signature", times: int = 1) -> None:
        nobody = dict.fromkeys(("kind", "tid", "oid", "azp", "agent_name"))
        for _ in range(times):
            self.clock.pass_by(0.25)
            await self.log.record(self.event(**nobody, reason=reason))

    def counts(self) -> list[tuple[str | None, int | None]]:
        return [(row.reason, row.count) for row in self.trail.rows]

    def total(self) -> int:
        return sum(row.count or 1 for row in self.trail.rows)


@pytest.fixture
def counted() -> Counted:
    return Counted()


async def test_the_first_of_a_kind_is_a_row_of_its_own_before_it_is_answered(
    counted: Counted,
) -> None:
    await counted.refuse()
    assert counted.counts() == [("agent_unknown", None)]


async def test_repeats_are_one_counted_row_when_their_minute_is_over(counted: Counted) -> None:
    await counted.refuse(times=1000)
    assert len(counted.trail.rows) == 1
    await counted.log.flush()
    assert counted.counts() == [("agent_unknown", None), ("agent_unknown", 999)]
    row = counted.trail.rows[-1]
    assert (row.tid, row.oid, row.azp, row.agent_name) == (
        "tenant",
        "object",
        "application",
        "concierge",
    )
    assert row.first_at is not None
    assert row.last_at is not None
    assert (row.last_at - row.first_at).total_seconds() == 999 * 0.25
    assert row.request_id is None


async def test_a_refusal_that_did_not_repeat_is_written_once(counted: Counted) -> None:
    await counted.refuse()
    await counted.log.flush()
    await counted.log.flush()
    assert counted.total() == 1


async def test_in_the_next_minute_the_first_is_a_row_again(counted: Counted) -> None:
    await counted.refuse(times=2)
    await counted.log.flush()
    await counted.refuse()
    assert counted.counts()[-1] == ("agent_unknown", None)


@pytest.mark.parametrize(
    "other",
    [{"oid": "other"}, {"azp": "other"}, {"agent_name": "other"}, {"reason": "other"}],
)
async def test_another_caller_agent_or_reason_is_another_kind(
    counted: Counted, other: dict[str, str]
) -> None:
    await counted.refuse()
    await counted.log.record(counted.event(**other))
    assert [row.count for row in counted.trail.rows] == [None, None]


async def test_refusals_before_authentication_cost_no_row_of_their_own(counted: Counted) -> None:
    await counted.unauthenticated(times=500)
    await counted.unauthenticated("token_shape")
    assert counted.trail.asked == 0
    await counted.log.flush()
    assert dict(counted.counts()) == {"token_signature": 500, "token_shape": 1}
    assert {row.oid for row in counted.trail.rows} == {None}


async def test_one_callers_many_kinds_beyond_a_few_are_one(counted: Counted) -> None:
    for number in range(100):
        await counted.refuse(agent_name=f"agent-{number}")
    await counted.log.flush()
    rows = counted.trail.rows
    assert len(rows) == refusals.DISTINCT + 1
    assert (rows[-1].reason, rows[-1].count) == ("many_refusals", 100 - refusals.DISTINCT)
    assert rows[-1].oid == "object"
    assert counted.total() == 100


async def test_a_flood_of_callers_is_counted_without_keeping_them_apart(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "KINDS", 5)
    for number in range(50):
        await counted.refuse(oid=f"object-{number}")
    await counted.unauthenticated(times=3)
    await counted.log.flush()
    assert counted.total() == 53
    assert len(counted.trail.rows) <= 7
    assert counted.trail.rows[-1].oid is None


async def test_what_cannot_be_recorded_is_not_answered_as_refused(counted: Counted) -> None:
    counted.trail.down = True
    with pytest.raises(AuditUnavailable):
        await counted.refuse()
    counted.trail.down = False
    await counted.refuse()
    assert counted.counts() == [("agent_unknown", None)]


async def test_what_cannot_be_written_now_is_kept_for_the_next_time(counted: Counted) -> None:
    await counted.refuse(times=3)
    await counted.unauthenticated(times=4)
    counted.trail.down = True
    await counted.log.flush()
    counted.trail.down = False
    await counted.unauthenticated(times=2)
    await counted.log.flush()
    assert sorted(counted.counts(), key=str) == [
        ("agent_unknown", 2),
        ("agent_unknown", None),
        ("token_signature", 6),
    ]


async def test_counts_from_before_and_after_a_failure_are_one_span(counted: Counted) -> None:
    began = counted.clock()
    await counted.unauthenticated(times=2)
    counted.trail.gate, counted.trail.down = asyncio.Event(), True
    flushing = asyncio.create_task(counted.log.flush())
    await until(lambda: counted.trail.asked == 1)
    await counted.unauthenticated(times=3)
    counted.trail.gate.set()
    await flushing
    counted.trail.down = False
    await counted.log.flush()
    (row,) = counted.trail.rows
    assert row.count == 5
    assert row.first_at is not None
    assert (row.first_at - began).total_seconds() == 0.25


async def test_while_the_trail_is_down_a_flush_asks_it_once(counted: Counted) -> None:
    for number in range(10):
        await counted.unauthenticated(f"reason-{number}")
    counted.trail.down = True
    await counted.log.flush()
    assert counted.trail.asked == 1
    counted.trail.down = False
    await counted.log.flush()
    assert counted.total() == 10


async def test_repeats_are_not_lost_when_their_first_cannot_be_recorded(counted: Counted) -> None:
    counted.trail.gate, counted.trail.down = asyncio.Event(), True
    first = asyncio.create_task(counted.log.record(counted.event()))
    await until(lambda: counted.trail.asked == 1)
    await counted.refuse(times=3)
    counted.trail.gate.set()
    with pytest.raises(AuditUnavailable):
        await first
    counted.trail.down = False
    await counted.log.flush()
    assert counted.counts() == [("agent_unknown", 3)]


async def test_a_first_that_failed_late_takes_nothing_of_the_next_minute(
    counted: Counted,
) -> None:
    gate = counted.trail.gate = asyncio.Event()
    first = asyncio.create_task(counted.log.record(counted.event()))
    await until(lambda: counted.trail.asked == 1)
    await counted.log.flush()
    counted.trail.gate = None
    await counted.refuse(times=3)
    counted.trail.down = True
    gate.set()
    with pytest.raises(AuditUnavailable):
        await first
    counted.trail.down = False
    await counted.log.flush()
    assert counted.counts() == [("agent_unknown", None), ("agent_unknown", 2)]


async def test_failures_are_counted_as_failures(counted: Counted) -> None:
    await counted.refuse(times=3, outcome="failed", reason="down")
    await counted.log.flush()
    assert [row.outcome for row in counted.trail.rows] == ["failed", "failed"]


@pytest.mark.usefixtures("impatient")
async def test_a_minute_ends_by_itself(counted: Counted) -> None:
    await counted.unauthenticated(times=2)
    await until(lambda: counted.counts() == [("token_signature", 2)])
    await counted.unauthenticated(times=3)
    await until(lambda: counted.counts() == [("token_signature", 2), ("token_signature", 3)])


@pytest.mark.usefixtures("impatient")
async def test_after_an_outage_what_was_counted_is_written_by_itself(counted: Counted) -> None:
    counted.trail.down = True
    await counted.unauthenticated(times=2)
    await until(lambda: counted.trail.asked >= 2)
    counted.trail.down = False
    await until(lambda: counted.counts() == [("token_signature", 2)])


async def test_closing_ends_the_minute(counted: Counted) -> None:
    await counted.unauthenticated()
    await counted.log.close()
    assert counted.counts() == [("token_signature", 1)]
    await counted.log.close()
    assert counted.total() == 1


async def test_a_flood_over_the_wire_costs_two_rows(lkps: Lkps) -> None:
    for _ in range(50):
        assert (await lkps.start("nobody")).status == 403
        assert (await lkps.start(by="Bearer a.b.c")).status == 401
    assert len(lkps.rows) == 1
    await lkps.services.close()
    assert sorted(row.get("count", 1) for row in lkps.rows) == [1, 49, 50]


async def test_refusals_of_different_callers_are_rows_of_their_own(lkps: Lkps) -> None:
    for by in (CLIENT, app("another", "LKPS.Client"), AGENT):
        await lkps.start("nobody", by=by)
    assert [row["reason"] for row in lkps.rows] == [
        "agent_unknown",
        "agent_unknown",
        "permission_lacking",
    ]


async def test_a_refusal_beyond_its_principals_share_of_the_trail_is_counted_and_not_lost() -> None:
    counted = Counted()
    counted.trail = trail = FullTrail()
    counted.log = RefusalLog(trail, counted.clock)
    await counted.refuse(times=3)
    await counted.log.flush()
    assert trail.rows == []
    trail.full = False
    await counted.log.close()
    (row,) = trail.rows
    assert (row.reason, row.count) == ("agent_unknown", 3)
