"""One process's stream of rows: numbered without gaps, in order, durable before anyone is told."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from lkps_core.audit.event import Event, row_bytes
from lkps_core.errors import AuditUnavailable, RateLimited, StorageUnavailable
from lkps_core.ports import Clock, TrailRows

log = logging.getLogger(__name__)

BATCH = 16
"""Rows committed at once: enough to share the round trip, few enough to keep the loop free."""

CAPACITY = 2048
"""Rows that may wait; one more is refused rather than lost."""

MOST_OF_ONE = CAPACITY // 10
"""Rows of one principal that may wait: nobody fills the queue for the others."""

PATIENCE = 3.0
"""Seconds a caller waits for its row before it is told that the trail cannot record."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between attempts to commit a batch whose outcome is not known."""


class Trail(Protocol):
    """The port that use-cases see."""

    async def record(self, event: Event) -> None:
        """Return once the event is durable, else raise AuditUnavailable.

        RateLimited when the event's principal has too many waiting already.
        """
        ...


@dataclass(slots=True)
class _Waiting:
    """`counts` while it counts to its principal's share of the queue."""

    event: Event
    durable: asyncio.Future[None]
    counts: bool = True


class Stream:
    """A Trail that writes `{date}_{stream_id}` rows; the numbers begin anew each UTC day.

    A batch whose outcome is unknown is sent again, the same bytes under the same numbers, until it
    is durable, whoever has stopped waiting: so there is never a gap, nor a number used twice.
    """

    def __init__(self, rows: TrailRows, stream_id: str, application: str, clock: Clock) -> None:
        self._rows = rows
        self._stream_id = stream_id
        self._application = application
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._of_principal: Counter[tuple[str | None, str | None]] = Counter()
        self._is_failing = False
        self._writer: asyncio.Task[None] | None = None
        self._day = ""
        self._next = 0

    async def record(self, event: Event) -> None:
        if len(self._waiting) >= CAPACITY:
            raise AuditUnavailable(reason="the trail's queue is full")
        principal = (event.tid, event.oid)
        if event.oid is not None and self._of_principal[principal] >= MOST_OF_ONE:
            if self._is_failing:
                raise AuditUnavailable(reason="the trail does not become durable")
            raise RateLimited(reason="share_of_the_trail")
        waiting = _Waiting(event, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._of_principal[principal] += 1
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="audit stream")
        try:
            async with asyncio.timeout(PATIENCE):
                await waiting.durable
        except TimeoutError as error:
            raise AuditUnavailable(reason="the trail did not become durable in time") from error
        finally:
            self._leave(waiting)

    async def drained(self) -> None:
        """Return when nothing waits any more: the clean end of the process's stream."""
        while self._writer is not None:
            await asyncio.wait([self._writer])

    async def _write(self) -> None:
        try:
            while batch := self._next_batch():
                await self._commit(batch)
        finally:
            self._writer = None

    def _next_batch(self) -> list[_Waiting]:
        """Those who still wait: an event whose caller gave up was never numbered."""
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < BATCH:
            waiting = self._waiting.popleft()
            self._leave(waiting)
            if not waiting.durable.done():
                batch.append(waiting)
        return batch

    def _leave(self, waiting: _Waiting) -> None:
        """It waits no more, for it is being written or its caller gave up."""
        if not waiting.counts:
            return
        waiting.counts = False
        principal = (waiting.event.tid, waiting.event.oid)
        self._of_principal[principal] -= 1
        if not self._of_principal[principal]:
            del self._of_principal[principal]

    async def _commit(self, batch: list[_Waiting]) -> None:
        await self._begin_day()
        stream = f"{self._day}_{self._stream_id}"
        rows = [
            row_bytes(
                waiting.event,
                stream=stream,
                number=self._next + place,
                application=self._application,
            )
            for place, waiting in enumerate(batch)
        ]
        await self._until_durable(lambda: self._rows.append(stream, self._next, rows))
        self._next += len(rows)
        for waiting in batch:
            if not waiting.durable.done():
                waiting.durable.set_result(None)

    async def _begin_day(self) -> None:
        """A stream that nobody announced would be a stream that nobody looks for."""
        today = self._clock().strftime("%Y-%m-%d")
        if today != self._day:
            await self._until_durable(lambda: self._rows.announce(f"{today}_{self._stream_id}"))
            self._day, self._next = today, 0

    async def _until_durable(self, write: Callable[[], Awaitable[None]]) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await write()
            except StorageUnavailable as error:
                self._is_failing = True
                log.warning("audit rows are not durable yet", extra={"reason": error.reason})
            else:
                self._is_failing = False
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
