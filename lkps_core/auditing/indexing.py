"""What the timer does every minute: derive the index from the rows that are new."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from lkps_core.auditing.checkpointing import LATE
from lkps_core.auditing.index import Index, entries_of, time_of
from lkps_core.auditing.ledger import Ledger
from lkps_core.auditing.reading import Piece, days_until, new_rows, streams_of
from lkps_core.ports import AlreadyThere, Changed, Clock, Rows, Stored, TrailRows
from lkps_core.ranges import every

log = logging.getLogger(__name__)

MOST_ROWS = 10_000
"""Of one run."""

_DAYS = 1000
_ROWS = 500
"""Whose entries are written together."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """Of one stream, the number of the first row that the index does not have yet."""

    stream: str
    next: int

    @property
    def partition(self) -> str:
        return f"indexed:{self.stream[:10]}"

    @property
    def key(self) -> str:
        return self.stream


@dataclass(frozen=True, slots=True)
class Reindex:
    """A day whose index is to be derived anew."""

    day: str

    @property
    def partition(self) -> str:
        return "reindex"

    @property
    def key(self) -> str:
        return self.day


class Indexing:
    """An entry is written before the position that says so: after a crash, once more."""

    def __init__(
        self,
        rows: TrailRows,
        index: Index,
        positions: Rows[Indexed],
        reindexes: Rows[Reindex],
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._rows = rows
        self._index = index
        self._positions = positions
        self._reindexes = reindexes
        self._ledger = ledger
        self._clock = clock

    async def run(self) -> int:
        """Return how many rows were indexed. Raises StorageUnavailable."""
        days = days_until(self._clock())
        done = 0
        for day in days:
            done += await self.run_day(day, MOST_ROWS - done)
        await self._warn_when_late(days)
        for stored in await self._reindexes.page("reindex", most=_DAYS):
            if done == MOST_ROWS:
                break
            done += await self.run_day(stored.row.day, MOST_ROWS - done)
            if done < MOST_ROWS:
                await self._reindexes.remove(stored.row, stored.etag)
        return done

    async def reindex(self, days: Sequence[str]) -> int:
        """Have the index of these days derived anew by the next runs; return how many streams."""
        streams = 0
        for day in days:
            stored = await positions_of(self._positions, day)
            for one in stored.values():
                await self._positions.replace(Indexed(one.row.stream, 0), one.etag)
            if stored:
                await self._keep_day(day)
            streams += len(stored)
        return streams

    async def _keep_day(self, day: str) -> None:
        with suppress(AlreadyThere):
            await self._reindexes.add(Reindex(day))

    async def run_day(self, day: str, most: int) -> int:
        """At most so many rows of that day, and fewer only when there are no more."""
        streams = await self._rows.streams(day)
        stored = await positions_of(self._positions, day)
        positions = {stream: one.row.next for stream, one in stored.items()}
        pieces = await new_rows(self._rows, streams, positions, most)
        for piece in pieces:
            await self._write(piece)
            await self._keep(stored.get(piece.stream), Indexed(piece.stream, piece.next))
        return sum(len(piece.rows) for piece in pieces)

    async def _write(self, piece: Piece) -> None:
        for at in range(0, len(piece.rows), _ROWS):
            some = piece.rows[at : at + _ROWS]
            await self._index.put([entry for _, row in some for entry in entries_of(row)])

    async def _keep(self, stored: Stored[Indexed] | None, indexed: Indexed) -> None:
        try:
            if stored is None:
                await self._positions.add(indexed)
            else:
                await self._positions.replace(indexed, stored.etag)
        except (AlreadyThere, Changed):
            log.info("another run indexed this stream", extra={"stream": indexed.stream})

    async def _warn_when_late(self, days: Sequence[str]) -> None:
        """Rows that wait for a checkpoint longer than three periods: an operator must know."""
        last, now = await self._ledger.last(), self._clock()
        if last is not None and now - last.checkpoint.at < LATE:
            return
        covered = last.positions if last else {}
        waiting = await new_rows(self._rows, await streams_of(self._rows, days), covered, 1)
        if waiting and now - time_of(waiting[0].rows[0][1]) > LATE:
            log.error("a checkpoint is late", extra={"stream": waiting[0].stream})


async def positions_of(positions: Rows[Indexed], day: str) -> dict[str, Stored[Indexed]]:
    """By stream, how far the index of the day is."""
    return {one.row.stream: one for one in await every(positions, f"indexed:{day}")}
