"""Clocks: whether this machine's is right, by the `Date` of who answered."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_TOLERATED = timedelta(seconds=60)  # as LKPS tolerates with access tokens


def clock_error(date: str, now: datetime) -> str:
    """What is wrong and what to do; empty when nothing is, or nothing can be read."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return ""
    ahead = now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))
    if abs(ahead) <= _TOLERATED:
        return ""
    side = "ahead" if ahead > timedelta() else "behind"
    return f"this machine's clock is {_roughly(abs(ahead))} {side}: set it right"


def _roughly(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} minutes" if minutes > 1 else f"{span.total_seconds():.0f} s"
