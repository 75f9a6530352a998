"""The trail of more than a year, in the order of time, as the product's rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from dev.bench.happenings import Happening, Happenings
from lkps_core import __version__
from lkps_core.audit.event import row_bytes

_WRITERS = ("0" * 20, "1" * 20)
"""The stream ids of the two processes that there always are."""

_DAYS = 400  # so there is always a whole March
_IN_THE_LAST_HOUR = 0.01
_APART = 30
"""Rows between two of one session, at the most."""


@dataclass(frozen=True, slots=True)
class Recorded:
    stream: str
    number: int
    at: datetime
    row: bytes


@dataclass(order=True, slots=True)
class _Due:
    place: int
    happening: Happening = field(compare=False)


class History:
    """So many rows until `now`, a hundredth of them in its last hour; the same every time."""

    def __init__(self, many: int, now: datetime) -> None:
        self.many = many
        self.now = now
        self._random = Random(5)  # noqa: S311
        self._happenings = Happenings(self._random)
        self._due: list[_Due] = []

    def __iter__(self) -> Iterator[Recorded]:
        numbers: Counter[str] = Counter()
        for place in range(self.many):
            at = self._time(place)
            stream = f"{at:%Y-%m-%d}_{self._random.choice(_WRITERS)}"
            number = numbers[stream]
            event = self._next(place)(at)
            row = row_bytes(event, stream=stream, number=number, application=__version__)
            yield Recorded(stream, number, at, row)
            numbers[stream] += 1

    def _time(self, place: int) -> datetime:
        hour, older = timedelta(hours=1), round(self.many * (1 - _IN_THE_LAST_HOUR))
        if place >= older:
            return self.now - hour * ((self.many - place) / (self.many - older))
        return self.now - hour - timedelta(days=_DAYS) * ((older - place) / older)

    def _next(self, place: int) -> Happening:
        """What is due, or else something new."""
        if self._due and self._due[0].place <= place:
            return heappop(self._due).happening
        first, *others = self._happenings.some()
        for other in others:
            place += self._random.randint(1, _APART)
            heappush(self._due, _Due(place, other))
        return first
