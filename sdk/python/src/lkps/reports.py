"""Reports: LKPS is told what becomes of jobs, in the background and as long as it is of use."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from lkps.client import JobReport
from lkps.errors import LkpsError, Refused
from lkps.retries import Clock, Patience

logger = logging.getLogger("lkps")

CAPACITY = 1000
OF_USE = timedelta(seconds=60)
_PATIENCE = Patience(longest_pause=4.0, longest_retry_after=OF_USE.total_seconds())


class Reporter(Protocol):
    """LKPS, as the reports need it; `LkpsClient` is one."""

    async def report_job(self, registration_id: str, report: JobReport) -> None: ...


@dataclass(frozen=True)
class _Waiting:
    report: JobReport
    until: datetime


class Reports:
    """Reports on their way, from `open` to `close`: oldest job first, of each the newest outcome.

    Nothing here raises or blocks. What LKPS refuses, what it was away for too long for, and the
    oldest of more than `CAPACITY` are dropped with a line in the log.
    """

    def __init__(
        self, lkps: Reporter, registration_id: Callable[[], str], *, clock: Clock | None = None
    ) -> None:
        self._lkps = lkps
        self._registration_id = registration_id
        self._clock = clock or Clock()
        self._waiting: dict[str, _Waiting] = {}
        self._added = asyncio.Event()
        self._all_sent = asyncio.Event()
        self._all_sent.set()
        self._sending: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._sending = asyncio.create_task(self._send_all(), name="lkps_reports")

    def add(self, report: JobReport) -> None:
        if len(self._waiting) >= CAPACITY and report.participant_identity not in self._waiting:
            self._drop(self._oldest(), "too many wait")
        until = self._clock.now() + OF_USE
        self._waiting[report.participant_identity] = _Waiting(report, until)
        self._added.set()
        self._all_sent.clear()

    async def close(self, seconds: float) -> None:
        """Gives the reports that wait so many seconds more."""
        sending, self._sending = self._sending, None
        if sending is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._all_sent.wait()
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        while self._waiting:
            self._drop(self._oldest(), "the agent ends")

    async def _send_all(self) -> None:
        failures = 0
        while True:
            waiting = await self._next()
            try:
                await self._lkps.report_job(self._registration_id(), waiting.report)
            except Refused as error:
                failures = 0
                self._drop(waiting, f"{error.status} {error.code}, request {error.request_id}")
            except LkpsError as error:
                failures += 1
                if failures == 1:
                    logger.warning("a job is not reported yet, trying again: %s", error)
                await self._clock.sleep(_PATIENCE.pause(failures, error, self._clock))
            else:
                failures = 0
                self._remove(waiting)

    async def _next(self) -> _Waiting:
        while True:
            self._drop_what_is_late()
            if self._waiting:
                return self._oldest()
            self._all_sent.set()
            self._added.clear()
            await self._added.wait()

    def _oldest(self) -> _Waiting:
        return next(iter(self._waiting.values()))

    def _drop_what_is_late(self) -> None:
        now = self._clock.now()
        for waiting in [one for one in self._waiting.values() if one.until <= now]:
            self._drop(waiting, "LKPS was away for too long")

    def _drop(self, waiting: _Waiting, why: str) -> None:
        self._remove(waiting)
        identity, outcome = waiting.report.participant_identity, waiting.report.outcome
        logger.warning(
            "a job is not reported: %s",
            why,
            extra={"participant_identity": identity, "outcome": outcome},
        )

    def _remove(self, waiting: _Waiting) -> None:
        """Unless a newer outcome took its place while it was on its way."""
        if self._waiting.get(waiting.report.participant_identity) is waiting:
            del self._waiting[waiting.report.participant_identity]
