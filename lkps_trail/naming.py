"""Which rows of a batch are at fault, by the list of their hashes."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from lkps_trail.batch import Batch


def faults(batch: Batch, hashes: Sequence[bytes], line: int) -> Iterator[tuple[str, str]]:
    """Where, and what; `line` is that of the first of the rows in the file."""
    place_of = {leaf: place for place, leaf in enumerate(batch.leaves)}
    names = [f"row {number} of {stream}" for stream, number in batch.places()]
    line_of: dict[int, int] = {}
    for at, row in enumerate(hashes, line):
        place = place_of.get(row)
        if place is None:
            yield f"line {at}", "a row that was not signed"
        elif place in line_of:
            yield names[place], f"is repeated in line {at}"
        else:
            line_of[place] = at
    for place in _moved(list(line_of)):
        yield names[place], f"is out of its order in line {line_of[place]}"
    for place, name in enumerate(names):
        if place not in line_of:
            yield name, "is missing, or was changed"


def _moved(places: Sequence[int]) -> list[int]:
    """The fewest that are to be put elsewhere, so that the places ascend."""
    ends: list[int] = []  # of ascending runs, the shortest first
    before: dict[int, int | None] = {}
    for place in places:
        at = bisect_left(ends, place)
        before[place] = ends[at - 1] if at else None
        ends[at : at + 1] = [place]
    end = ends[-1] if ends else None
    while end is not None:
        end = before.pop(end)
    return list(before)
