"""What the timer does every hour: remove days whose time is over, unless a hold keeps them."""

import json
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import timedelta

from lkps_core.audit.event import Event
from lkps_core.audit.stream import Trail
from lkps_core.auditing.holds import Hold, concerns, held_subjects
from lkps_core.auditing.index import Index, entries_of, partitions_of
from lkps_core.auditing.indexing import Indexed
from lkps_core.ports import Clock, Rows, TrailRows

log = logging.getLogger(__name__)

RUN = timedelta(seconds=60)
"""After so long a run begins no other stream; the next one goes on."""

_PAGE = 1000


class Retention:
    def __init__(
        self,
        rows: TrailRows,
        index: Index,
        positions: Rows[Indexed],
        holds: Rows[Hold],
        trail: Trail,
        clock: Clock,
        days: int,
    ) -> None:
        self._rows = rows
        self._index = index
        self._positions = positions
        self._holds = holds
        self._trail = trail
        self._clock = clock
        self._days = days

    async def run(self) -> int:
        """Return how many streams were removed. Each removal is on the trail before it happens."""
        began = self._clock()
        last_kept = str((began - timedelta(days=self._days)).date())
        held = await held_subjects(self._holds)
        removed, day = 0, await self._rows.next_day()
        while day is not None and day < last_kept:
            streams = await self._rows.streams(day)
            if await self._is_held(day, streams, held):
                log.info("a legal hold keeps a day of the trail", extra={"day": day})
                streams = []
            for stream in streams:
                if self._clock() - began > RUN:
                    return removed
                await self._remove(day, stream)
                removed += 1
            day = await self._rows.next_day(day)
        return removed

    async def _is_held(self, day: str, streams: Collection[str], held: frozenset[str]) -> bool:
        if not held:
            return False
        if await self._is_indexed(day, held):
            return True
        for stream in streams:  # what a subject was done by others, the index does not have
            async for page in self._pages(stream):
                if any(concerns(json.loads(row), held) for _, row in page):
                    return True
        return False

    async def _is_indexed(self, day: str, held: frozenset[str]) -> bool:
        """Whether the index has a row of that day about one of them: then none need be read."""
        for subject in held:
            for one in partitions_of(subject):
                if await self._index.page(one, after=day, before=f"{day}U", most=1):
                    return True
        return False

    async def _remove(self, day: str, stream: str) -> None:
        """Recorded first; then the index, from the rows that it was derived from, and these."""
        await self._trail.record(
            Event(at=self._clock(), action="audit.expired", outcome="success", subject=stream)
        )
        async for page in self._pages(stream):
            await self._index.remove([entry for _, row in page for entry in entries_of(row)])
        await self._rows.remove(stream)
        stored = await self._positions.get(f"indexed:{day}", stream)
        if stored is not None:
            await self._positions.remove(stored.row, stored.etag)

    async def _pages(self, stream: str) -> AsyncIterator[Sequence[tuple[int, bytes]]]:
        first = 0
        while page := await self._rows.page(stream, first, _PAGE):
            yield page
            first = page[-1][0] + 1
