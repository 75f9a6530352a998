"""What a verification of a tampered export has to say, by comparing it with the original."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from lkps_trail.batch import Batch, BatchInvalid, parsed
from lkps_trail.export import CONTROLS
from lkps_trail.verifying import Verified


@dataclass
class Read:
    """A batch's line, its number in the file, and the rows below it."""

    control: bytes
    line: int
    rows: list[bytes] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Of its rows, as the batch's line has it."""
        batch = _batch(self.control)
        return [f"row {number} of {stream}" for stream, number in batch.places()] if batch else []

    @property
    def span(self) -> str:
        batch = _batch(self.control)
        segments = batch.segments if batch else ()
        return ", ".join(f"rows {one.first} to {one.end - 1} of {one.stream}" for one in segments)


@lru_cache(maxsize=64)
def _batch(control: bytes) -> Batch | None:
    try:
        return Batch.from_json(parsed(control)["batch"])
    except (BatchInvalid, LookupError):
        return None


def batches(lines: list[bytes]) -> list[Read]:
    """The rows that the file says are covered."""
    found: list[Read] = []
    is_covered = False
    for number, line in enumerate(lines, 1):
        line = line.removesuffix(b"\n")
        if line.startswith(b'{"batch":'):
            found.append(Read(line, number))
            is_covered = True
        elif line.startswith(CONTROLS):
            is_covered = False
        elif is_covered:
            found[-1].rows.append(line)
    return found


@dataclass
class Judge:
    """Of the same original for thousands of files.

    `fork` is another trail by the same key: of what was taken from it the seams are at fault.
    """

    original: list[bytes]
    fork: list[bytes]

    def __post_init__(self) -> None:
        self.batches = batches(self.original)
        self.forked = [one.rows for one in batches(self.fork)]
        self.by_control = {one.control: one for one in self.batches}
        self.names = {one.control: one.names for one in self.batches}

    def faults(self, lines: list[bytes], result: Verified) -> Iterator[str]:
        """What the result should have said, or should not."""
        found = batches(lines)
        if result.findings:
            yield from self._unnamed(found, result)
            yield from self._accused(found, result)
        elif not self._is_a_stretch(found):
            yield "a covered row was changed, and nothing was found"

    def _unnamed(self, found: list[Read], result: Verified) -> Iterator[str]:
        places = {finding.place for finding in result.findings}
        if result.batches < len(found) and not any(one.startswith("line ") for one in places):
            yield "the file was not read to its end, and no line is named"
        for at, one in enumerate(found[: result.batches]):
            if one.control in self.by_control:
                yield from self._of_rows(one, places)
            elif one.rows not in [other.rows for other in self.batches]:
                yield from self._of_changed_batch(at, found, places)

    def _accused(self, found: list[Read], result: Verified) -> Iterator[str]:
        spans = [one.span for one in found]
        for one, other in zip(found, self.batches, strict=False):
            if one.control != other.control or spans.count(one.span) > 1:
                return
            if one.rows == other.rows and _accused(one, result):
                yield f"the rows of line {one.line} are as signed, and were accused"

    def _is_a_stretch(self, found: list[Read]) -> bool:
        """Whole batches, as they were, from the beginning, the middle or the end of the trail."""
        rows = [one.rows for one in found]
        whole = [one.rows for one in self.batches]
        return any(rows == whole[at : at + len(rows)] for at in range(len(whole) + 1))

    def _of_rows(self, one: Read, places: set[str]) -> Iterator[str]:
        """The list of the hashes is right: every row that is at fault has its name."""
        rows, names = self.by_control[one.control].rows, self.names[one.control]
        place_of = {row: at for at, row in enumerate(rows)}
        seen: set[int] = set()
        for line, row in enumerate(one.rows, one.line + 1):
            at = place_of.get(row)
            if at is None and f"line {line}" not in places:
                yield f"line {line} is not a row that was signed, and not named"
            if at in seen and names[at] not in places:
                yield f"{names[at]} is repeated, and not named"
            if at is not None:
                seen.add(at)
        for at in set(range(len(rows))) - seen:
            if names[at] not in places:
                yield f"{names[at]} is missing, and not named"
        order = list(dict.fromkeys(place_of[row] for row in one.rows if row in place_of))
        named = sum(names[at] in places for at in seen)
        if named < len(order) - _longest_ascending(order):
            yield f"the rows of line {one.line} are out of order, and not named"

    def _of_changed_batch(self, at: int, found: list[Read], places: set[str]) -> Iterator[str]:
        """The batch is named, or a row of it."""
        one, there = found[at], self.batches[min(at, len(self.batches) - 1)]
        lines = {f"line {one.line + at}" for at in range(len(one.rows) + 1)}
        spans = {other.span for other in (found if one.rows in self.forked else [one])}
        if not places & {*spans, *lines, *one.names, *there.names}:
            yield f"the rows of line {one.line} were changed, and nothing there is named"


def _accused(one: Read, result: Verified) -> bool:
    """Of not being as signed, which is told apart from where rows say that they are."""
    lines = {f"line {one.line + at}" for at in range(1, len(one.rows))}
    places = {one.span, *one.names, *lines}
    return any(
        finding.place in places and finding.what.startswith(_NOT_AS_SIGNED)
        for finding in result.findings
    )


_NOT_AS_SIGNED = ("a row that", "is missing", "is out of", "is repeated", "not what", "checkpoint")


def _longest_ascending(places: list[int]) -> int:
    ends: list[int] = []
    for place in places:
        at = bisect_left(ends, place)
        ends[at : at + 1] = [place]
    return len(ends)
