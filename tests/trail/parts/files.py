"""An export as a file that somebody tampers with: in parts, and put together again."""

import base64
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from lkps_trail.batch import Batch
from lkps_trail.merkle import Frontier, leaf_hash

Members = dict[str, Any]


def split(content: bytes) -> list[bytes]:
    """As a file is read: only a newline ends a line."""
    return list(io.BytesIO(content))


def line_of(members: object) -> bytes:
    """Half of a surrogate pair becomes its escape, which is JSON, too."""
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="backslashreplace")


@dataclass
class Part:
    """A batch, and the rows below it."""

    members: Members
    rows: list[bytes]

    @property
    def batch(self) -> Batch:
        return Batch.from_json(self.members)

    @property
    def names(self) -> list[str]:
        return [f"row {number} of {stream}" for stream, number in self.batch.places()]

    @property
    def span(self) -> str:
        return ", ".join(
            f"rows {one.first} to {one.end - 1} of {one.stream}" for one in self.batch.segments
        )

    def say_before(self, tree: Frontier) -> None:
        hashes = encoded(b"".join(tree.hashes))
        self.members["before"] = {"size": tree.size, "hashes": hashes}

    def rehash(self) -> None:
        """The list of hashes, and how many there are, as the rows are now."""
        self.members["leaves"] = hashes_json(self.rows)
        segments = self.members["segments"]
        segments[-1][2] += len(self.rows) - sum(count for _, _, count in segments)


@dataclass
class File:
    header: Members
    parts: list[Part] = field(default_factory=list)
    segments: list[list[Any]] = field(default_factory=list)
    waiting: list[bytes] = field(default_factory=list)
    end: Members = field(default_factory=dict)

    @classmethod
    def read(cls, lines: Iterable[bytes]) -> Self:
        """Of an export that nobody tampered with."""
        head, *rest = (line.removesuffix(b"\n") for line in lines)
        file = cls(json.loads(head)["export"])
        below = file.waiting
        for line in rest:
            name, value = next(iter(json.loads(line).items()))
            if name == "batch":
                below = []
                file.parts.append(Part(value, below))
            elif name == "uncovered":
                file.segments, below = value, file.waiting
            elif name == "end":
                file.end = value
            else:
                below.append(line)
        return file

    def recount(self) -> None:
        """The end, as if the file had always been like this."""
        rows = sum(len(part.rows) for part in self.parts)
        self.end = {"batches": len(self.parts), "rows": rows, "uncovered": len(self.waiting)}

    def chain(self, first: int) -> None:
        """What the batches from the `first` on say was before them, as the batch before has it."""
        for at in range(max(first, 1), len(self.parts)):
            self.parts[at].say_before(self.parts[at - 1].batch.after)

    def content(self) -> bytes:
        lines = [line_of({"export": self.header})]
        for part in self.parts:
            lines += [line_of({"batch": part.members}), *part.rows]
        lines += [line_of({"uncovered": self.segments}), *self.waiting, line_of({"end": self.end})]
        return b"".join(line + b"\n" for line in lines)


def hashes_json(rows: Iterable[bytes]) -> str:
    return encoded(b"".join(map(leaf_hash, rows)))


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
