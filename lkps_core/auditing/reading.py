"""The rows that came after those one has already seen, stream by stream."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched, groupby

from lkps_core.ports import TrailRows
from lkps_trail.batch import Segment

log = logging.getLogger(__name__)

LATE = timedelta(days=2)
"""A stream ends with its day; a writer that waits for its table may end it so much later."""

SETTLED = timedelta(minutes=1)
"""After its time a row is durable so soon, unless its writer waits for its table."""

_AT_ONCE = 16
_PAGE = 1000

type Positions = Mapping[str, int]
"""By stream the number of the next row to be seen; a stream that is not there is at nought."""


@dataclass(frozen=True, slots=True)
class Piece:
    """New rows of one stream, in order."""

    stream: str
    rows: Sequence[tuple[int, bytes]]

    @property
    def next(self) -> int:
        return self.rows[-1][0] + 1


def segments_of(pieces: Iterable[Piece], positions: Positions) -> list[Segment]:
    """Consecutive rows together. Where one does not begin at its position, rows are gone."""
    segments: list[Segment] = []
    for piece in pieces:
        expected = positions.get(piece.stream, 0)
        for _, run in groupby(enumerate(piece.rows), key=lambda one: one[1][0] - one[0]):
            numbers = [number for _, (number, _) in run]
            if numbers[0] != expected:
                gap = {"stream": piece.stream, "before": numbers[0]}
                log.error("the trail has a gap", extra=gap)
            segments.append(Segment(piece.stream, numbers[0], len(numbers)))
            expected = segments[-1].end
    return segments


def days_until(now: datetime, back: timedelta = LATE) -> list[str]:
    """The UTC days from so far back until now."""
    first = (now - back).date()
    return [str(first + timedelta(days=after)) for after in range((now.date() - first).days + 1)]


async def streams_of(rows: TrailRows, days: Iterable[str]) -> list[str]:
    """The streams of these days, in order."""
    found = await asyncio.gather(*(rows.streams(day) for day in days))
    return [stream for streams in found for stream in streams]


async def new_rows(
    rows: TrailRows, streams: Sequence[str], positions: Positions, most: int
) -> list[Piece]:
    """At most so many, and fewer than that only when there are no more."""
    pieces: list[Piece] = []
    for some in batched(streams, _AT_ONCE, strict=False):
        if most == 0:
            break
        found = await asyncio.gather(
            *(rows_from(rows, stream, positions.get(stream, 0), most) for stream in some)
        )
        for stream, new in zip(some, found, strict=True):
            if new[:most]:
                pieces.append(Piece(stream, new[:most]))
                most -= len(pieces[-1].rows)
    return pieces


async def in_turns[T, R](read: Callable[[T], Awaitable[R]], many: Sequence[T]) -> list[R]:
    """What each reads, so many at once that nobody else waits long."""
    found: list[R] = []
    for some in batched(many, _AT_ONCE, strict=False):
        found += await asyncio.gather(*(read(one) for one in some))
    return found


async def rows_from(rows: TrailRows, stream: str, first: int, most: int) -> list[tuple[int, bytes]]:
    """The stream's first `most` rows from the number `first` on, each with its number."""
    found: list[tuple[int, bytes]] = []
    while len(found) < most:
        wanted = min(_PAGE, most - len(found))
        page = await rows.page(stream, first, wanted)
        found += page
        if len(page) < wanted:
            break
        first = page[-1][0] + 1
    return found
