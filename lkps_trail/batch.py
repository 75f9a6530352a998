"""What one checkpoint covers: which rows, in which order, as leaves of the tree."""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from lkps_trail.canonical import LARGEST
from lkps_trail.merkle import HASH_BYTES, Frontier


class BatchInvalid(Exception):  # noqa: N818
    """The text is not a batch."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows of one stream with consecutive numbers."""

    stream: str
    first: int
    count: int

    @property
    def end(self) -> int:
        return self.first + self.count

    def places(self) -> Iterator[tuple[str, int]]:
        """Stream and number of each row."""
        return ((self.stream, number) for number in range(self.first, self.end))


@dataclass(frozen=True, slots=True)
class Batch:
    """The checkpoint with this number, the tree before it, and the leaves that it added.

    The leaves are the rows' hashes, segment by segment. Nothing here is to be trusted but what
    leads to the signed root.
    """

    number: int
    note: str
    before: Frontier
    segments: tuple[Segment, ...]
    leaves: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if sum(segment.count for segment in self.segments) != len(self.leaves):
            raise BatchInvalid("the segments are not as long as the leaves")

    @property
    def after(self) -> Frontier:
        return self.before.extended(self.leaves)

    def places(self) -> Iterator[tuple[str, int]]:
        """Stream and number of each leaf, in order."""
        return chain.from_iterable(segment.places() for segment in self.segments)

    def place_of(self, stream: str, number: int) -> int | None:
        """Which of the leaves the row is."""
        start = 0
        for segment in self.segments:
            if segment.stream == stream and segment.first <= number < segment.end:
                return start + number - segment.first
            start += segment.count
        return None

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "note": self.note,
            "before": {"size": self.before.size, "hashes": _encoded(self.before.hashes)},
            "segments": segments_json(self.segments),
            "leaves": _encoded(self.leaves),
        }

    @classmethod
    def from_json(cls, members: Any) -> "Batch":  # noqa: ANN401
        """BatchInvalid when they are not a batch's."""
        try:
            before = members["before"]
            return cls(
                whole(members["number"]),
                text(members["note"]),
                Frontier(whole(before["size"]), _hashes(before["hashes"])),
                segments_of(members["segments"]),
                _hashes(members["leaves"]),
            )
        except (LookupError, TypeError, ValueError) as error:
            raise BatchInvalid("not a batch") from error


def parsed(line: str | bytes) -> dict[str, Any]:
    """The JSON object, else BatchInvalid."""
    try:
        members = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BatchInvalid("not JSON") from error
    if not isinstance(members, dict):
        raise BatchInvalid("not a JSON object")
    return members


def segments_json(segments: Sequence[Segment]) -> list[list[str | int]]:
    return [[one.stream, one.first, one.count] for one in segments]


def segments_of(value: Any) -> tuple[Segment, ...]:  # noqa: ANN401
    """TypeError or ValueError when it is no list of segments."""
    return tuple(_segment(*segment) for segment in value)


def _segment(stream: object, first: object, count: object) -> Segment:
    segment = Segment(text(stream), whole(first), whole(count))
    if segment.count < 1:
        raise ValueError("an empty segment")
    return segment


def text(value: object) -> str:
    """TypeError when it is none, ValueError when it is not UTF-8."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()  # UnicodeEncodeError is a ValueError
    return value


def whole(value: object) -> int:
    """TypeError when it is not a whole number that every reader of JSON takes for the same."""
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise TypeError("not a whole number")
    return value


def _encoded(hashes: Sequence[bytes]) -> str:
    return base64.b64encode(b"".join(hashes)).decode()


def _hashes(encoded: object) -> tuple[bytes, ...]:
    try:
        joined = base64.b64decode(text(encoded), validate=True)
    except binascii.Error as error:
        raise ValueError("not Base64") from error
    if len(joined) % HASH_BYTES:
        raise ValueError("part of a hash is missing")
    return tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))
