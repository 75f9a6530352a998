"""Reports of jobs on their way to LKPS, with a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from lkps.client import JobReport
from lkps.errors import CredentialError, LkpsError, Refused, RegistrationNotFound, Unavailable
from lkps.reports import CAPACITY, Reports
from lkps.retries import Clock
from tests.sdk.parts.registrar import MovedClock
from tests.sdk.parts.waiting import eventually

AWAY = Unavailable("LKPS cannot be reached")


def accepted(job: str = "one") -> JobReport:
    return JobReport(f"concierge--{job}", f"agent-AJ_{job}", "accepted")


def failed(job: str = "one") -> JobReport:
    return JobReport(f"concierge--{job}", f"agent-AJ_{job}", "failed", "process_exit_-9")


@dataclass
class MemoryReporter:
    """LKPS; each of `failures` is one call's fate, None being success. It answers when `open`."""

    failures: list[LkpsError | None] = field(default_factory=list)
    asked: list[JobReport] = field(default_factory=list)
    told: list[JobReport] = field(default_factory=list)
    registration_ids: set[str] = field(default_factory=set)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def report_job(self, registration_id: str, report: JobReport) -> None:
        self.asked.append(report)
        await self.open.wait()
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure
        self.registration_ids.add(registration_id)
        self.told.append(report)


class ReportsBench:
    """Reports with their surroundings."""

    def __init__(self) -> None:
        self.clock = MovedClock()
        self.lkps = MemoryReporter()
        self.lkps.open.set()
        clock = Clock(now=self.clock.now, sleep=self.clock.sleep, chance=lambda: 0.0)
        self.reports = Reports(self.lkps, lambda: "concierge.1", clock=clock)


@pytest.fixture
async def bench() -> AsyncIterator[ReportsBench]:
    bench = ReportsBench()
    bench.reports.open()
    yield bench
    await bench.reports.close(0)


async def test_reports_are_sent_in_their_order_for_the_registration_held(
    bench: ReportsBench,
) -> None:
    bench.reports.add(accepted("one"))
    bench.reports.add(accepted("two"))

    await eventually(lambda: bench.lkps.told == [accepted("one"), accepted("two")])
    assert bench.lkps.registration_ids == {"concierge.1"}


async def test_of_a_job_that_waits_the_newest_outcome_is_sent(bench: ReportsBench) -> None:
    bench.reports.add(accepted("one"))
    bench.reports.add(accepted("two"))
    bench.reports.add(failed("one"))

    await eventually(lambda: len(bench.lkps.told) == 2)
    assert bench.lkps.told == [failed("one"), accepted("two")]


@pytest.mark.parametrize("fate", [None, Refused(404, "session_not_found", "no", "request-1")])
async def test_an_outcome_that_comes_while_the_one_before_is_sent_is_sent_after_it(
    bench: ReportsBench, fate: LkpsError | None
) -> None:
    bench.lkps.open.clear()
    bench.lkps.failures = [fate]
    bench.reports.add(accepted())
    await eventually(lambda: bench.lkps.asked)

    bench.reports.add(failed())
    bench.lkps.open.set()

    await eventually(lambda: bench.lkps.told[-1:] == [failed()])
    assert bench.lkps.asked == [accepted(), failed()]


async def test_a_report_is_sent_again_ever_later_while_lkps_is_away(bench: ReportsBench) -> None:
    bench.lkps.failures = [AWAY, AWAY, CredentialError("expired"), AWAY]
    bench.clock.allow(4)
    bench.reports.add(failed())

    await eventually(lambda: bench.lkps.told == [failed()])
    assert bench.clock.slept == [1, 2, 2, 2]


async def test_a_report_waits_as_long_as_lkps_asks_for(bench: ReportsBench) -> None:
    bench.lkps.failures = [Unavailable("busy", retry_after=20)]
    bench.clock.allow(1)
    bench.reports.add(failed())

    await eventually(lambda: bench.lkps.told == [failed()])
    assert bench.clock.slept == [20]


async def test_a_report_is_dropped_after_a_minute_with_a_line_in_the_log(
    bench: ReportsBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.lkps.failures = [AWAY] * 100
    bench.clock.allow(100)
    bench.reports.add(failed())

    await eventually(lambda: "LKPS was away for too long" in caplog.text)
    assert sum(bench.clock.slept[:-1]) < 60 <= sum(bench.clock.slept)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert bench.lkps.told == []


@pytest.mark.parametrize(
    "refusal",
    [
        Refused(403, "agent_not_runnable", "the detail", "request-1"),
        RegistrationNotFound(404, "registration_not_found", "the detail", "request-1"),
        Refused(409, "edited_meanwhile", "the detail", "request-1"),
        Refused(422, "body_invalid", "the detail", "request-1"),
    ],
    ids=lambda one: str(one.status),
)
async def test_what_lkps_refuses_is_dropped_with_one_line_that_has_the_code_only(
    bench: ReportsBench, refusal: Refused, caplog: pytest.LogCaptureFixture
) -> None:
    bench.lkps.failures = [refusal]
    bench.reports.add(failed("one"))
    bench.reports.add(failed("two"))

    await eventually(lambda: bench.lkps.told == [failed("two")])
    (line,) = caplog.messages
    assert line == f"a job is not reported: {refusal.status} {refusal.code}, request request-1"


async def test_no_more_than_so_many_wait_and_the_oldest_go_first(
    bench: ReportsBench, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(CAPACITY + 2):
        bench.reports.add(accepted(str(number)))
    bench.reports.add(failed("2"))

    await eventually(lambda: len(bench.lkps.told) == CAPACITY)
    assert bench.lkps.told[:2] == [failed("2"), accepted("3")]
    assert caplog.messages == ["a job is not reported: too many wait"] * 2


async def test_closing_sends_what_waits(bench: ReportsBench) -> None:
    for number in range(50):
        bench.reports.add(failed(str(number)))

    await bench.reports.close(5)

    assert len(bench.lkps.told) == 50


async def test_closing_gives_an_lkps_that_hangs_so_many_seconds_and_no_more(
    bench: ReportsBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.lkps.open.clear()
    bench.reports.add(failed("one"))
    bench.reports.add(failed("two"))

    await bench.reports.close(0.05)

    assert caplog.messages == ["a job is not reported: the agent ends"] * 2
    assert bench.lkps.told == []


async def test_closing_what_was_never_opened_is_nothing() -> None:
    await ReportsBench().reports.close(5)
