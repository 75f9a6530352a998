"""Instants as people write them: RFC 3339, or a date, which means the end of that day in UTC."""

import re
from datetime import UTC, datetime

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_WANTED = "write a date (2026-12-31) or a time with its offset (2026-12-31T18:00:00+01:00)"


def instant(text: str) -> str:
    """In RFC 3339 and UTC; raises `ValueError` that says what to write."""
    try:
        at = datetime.fromisoformat(f"{text}T23:59:59Z" if _DATE.fullmatch(text) else text)
        utc = at.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        raise ValueError(_WANTED) from None
    if at.tzinfo is None:
        raise ValueError(_WANTED)
    return utc.isoformat(timespec="seconds").replace("+00:00", "Z")
