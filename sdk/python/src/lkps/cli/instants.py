"""Instants as people write them: RFC 3339, or a date, which means that day in UTC."""

import re
from datetime import UTC, datetime, timedelta

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SPAN = re.compile(r"([1-9]\d{0,5})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_WANTED = "write a date (2026-12-31) or a time with its offset (2026-12-31T18:00:00+01:00)"


def instant(text: str) -> str:
    """A date means its last second. In RFC 3339 and UTC; ValueError that says what to write."""
    at = moment(f"{text}T23:59:59Z" if _DATE.fullmatch(text) else text)
    return _written(at, "seconds")


def first_instant(text: str) -> str:
    """A date means its first moment."""
    return _written(moment(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text))


def end_instant(text: str) -> str:
    """A date means the moment at which it is over."""
    if _DATE.fullmatch(text):
        return _written(moment(f"{text}T00:00:00Z") + _UNITS["d"])
    return _written(moment(text))


def since(span: str, now: datetime) -> str:
    """So long before now: `30m`, `1h`, `7d`."""
    found = _SPAN.fullmatch(span)
    if not found:
        raise ValueError("write minutes, hours or days: 30m, 1h, 7d")
    return _written(now.replace(microsecond=0) - int(found[1]) * _UNITS[found[2]])


def day(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError("write a day: 2026-12-31")
    return first_instant(text)[:10]


def moment(text: str) -> datetime:
    """In UTC; raises `ValueError` that says what to write."""
    try:
        at = datetime.fromisoformat(text)
        utc = at.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        raise ValueError(_WANTED) from None
    if at.tzinfo is None:
        raise ValueError(_WANTED)
    return utc


def _written(at: datetime, timespec: str = "auto") -> str:
    return at.isoformat(timespec=timespec).replace("+00:00", "Z")
