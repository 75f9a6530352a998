"""NCRONTAB schedules of timers: `{second} {minute} {hour} {day} {month} {day of week}`, in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import product

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# the longest wait: from one 29 February to the next across a century that is no leap year,
# until it falls on a given day of the week
_DAYS_AHEAD = 40 * 366 + 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """Sorted values for each field; a moment must fit all of them, day of week included."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    @classmethod
    def parse(cls, expression: str) -> "Schedule":
        """Six fields, or five without seconds (then second 0); raises ValueError."""
        fields = expression.split()
        if len(fields) == 5:
            fields.insert(0, "0")
        if len(fields) != 6:
            raise ValueError(f"schedule {expression!r} has neither five nor six fields")
        try:
            return cls(
                _values(fields[0], 0, 59),
                _values(fields[1], 0, 59),
                _values(fields[2], 0, 23),
                _values(fields[3], 1, 31),
                _values(fields[4], 1, 12, _MONTHS),
                _values(fields[5], 0, 6, _WEEKDAYS),
            )
        except ValueError as error:
            raise ValueError(f"schedule {expression!r}: {error}") from error

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence later than a moment; ValueError when there is none."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for ahead in range(_DAYS_AHEAD):
            day = start.date() + timedelta(days=ahead)
            fits = day.isoweekday() % 7 in self.weekdays
            if not fits or day.day not in self.days or day.month not in self.months:
                continue
            for hour, minute, second in product(self.hours, self.minutes, self.seconds):
                occurrence = datetime.combine(day, time(hour, minute, second), UTC)
                if occurrence >= start:
                    return occurrence
        raise ValueError("the schedule has no occurrence")


def _values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> tuple[int, ...]:
    values: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, last = _span(span, low, high, names, to_the_end=bool(slash))
        if not low <= first <= last <= high or (slash and int(step) < 1):
            raise ValueError(f"{part!r} is not within {low} to {high}")
        values.update(range(first, last + 1, int(step) if slash else 1))
    return tuple(sorted(values))


def _span(
    span: str, low: int, high: int, names: tuple[str, ...], *, to_the_end: bool
) -> tuple[int, int]:
    if span == "*":
        return low, high
    first, dash, last = span.partition("-")
    begin = _number(first, low, names)
    if dash:
        return begin, _number(last, low, names)
    return begin, high if to_the_end else begin


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    name = text.lower()[:3]
    return names.index(name) + low if name in names else int(text)
