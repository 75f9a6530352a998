"""The rows that came after those one has already seen, stream by stream."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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

    def segments(self, expected: int) -> list[Segment]:
        """Consecutive rows together. More than one, or another start, means that rows are gone."""
        segments: list[Segment] = []
        for number, _ in self.rows:
            if segments and segments[-1].end == number:
                last = segments.pop()
                segments.append(Segment(last.stream, last.first, last.count + 1))
                continue
            if number != (segments[-1].end if segments else expected):
                log.error("the trail has a gap", extra={"stream": self.stream, "before": number})
            segments.append(Segment(self.stream, number, 1))
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
    for at in range(0, len(streams), _AT_ONCE):
        if most == 0:
            break
        some = streams[at : at + _AT_ONCE]
        wanted = most
        found = await asyncio.gather(
            *(_new_rows(rows, stream, positions.get(stream, 0), wanted) for stream in some)
        )
        for stream, new in zip(some, found, strict=True):
            if new[:most]:
                pieces.append(Piece(stream, new[:most]))
                most -= len(pieces[-1].rows)
    return pieces


async def in_turns[T, R](read: Callable[[T], Awaitable[R]], many: Sequence[T]) -> list[R]:
    """What each reads, so many at once that nobody else waits long."""
    found: list[R] = []
    for at in range(0, len(many), _AT_ONCE):
        found += await asyncio.gather(*(read(one) for one in many[at : at + _AT_ONCE]))
    return found


async def _new_rows(rows: TrailRows, stream: str, first: int, most: int) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while len(found) < most:
        wanted = min(_PAGE, most - len(found))
        page = await rows.page(stream, first, wanted)
        found += page
        if len(page) < wanted:
            break
        first = page[-1][0] + 1
    return found
