"""What a row says of itself: that it is spelled canonically, and is where it says it is."""

import json
from collections.abc import Iterable

from lkps_trail.batch import Segment
from lkps_trail.canonical import canonical


class Meaning:
    """Looks at rows in the order of an export; in it, the rows of a stream have no gap."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def pass_over(self, segments: Iterable[Segment]) -> None:
        """Rows that are not worth looking into, for they are not as signed."""
        for segment in segments:
            self._next[segment.stream] = segment.end

    def fault(self, stream: str, number: int, row: bytes) -> str | None:
        """What is wrong with the row that is said to have this place; None when nothing is."""
        expected = self._next.get(stream, number)
        self._next[stream] = number + 1
        if number != expected:
            return f"follows a gap: row {expected} of its stream was expected"
        try:
            members = json.loads(row)
            if canonical(members) != row:
                return "is not in its canonical form"
        except (ValueError, RecursionError):
            return "is not JSON in its canonical form"
        if not isinstance(members, dict):
            return "is not a JSON object"
        if (members.get("stream"), members.get("number")) != (stream, number):
            return "says that it is another row"
        return None
