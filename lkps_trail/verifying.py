"""Whether an export is the trail that was signed; if not, which row is at fault."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from lkps_trail.batch import Batch, BatchInvalid, Segment, parsed, segments_of
from lkps_trail.checkpoint import Checkpoint, signed_checkpoint
from lkps_trail.export import CONTROLS, FORMAT
from lkps_trail.meaning import Meaning
from lkps_trail.merkle import Frontier, leaf_hash
from lkps_trail.naming import faults
from lkps_trail.notes import NoteInvalid, NoteKey, VerifySignature

MOST_FINDINGS = 1000
"""Beyond so many, more tell nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: `place` names the row, the rows, or the line of the file."""

    place: str
    what: str


@dataclass(slots=True)
class Verified:
    """`rows` are those that checkpoints cover, `uncovered` those that none covers yet.

    Without findings the covered rows are as they were signed, and from the one at the place
    `start` in the trail up to the `last` checkpoint none is missing. A later start than one expects
    means that rows are missing before it.
    """

    batches: int = 0
    rows: int = 0
    uncovered: int = 0
    start: int = 0
    first: Checkpoint | None = None
    last: Checkpoint | None = None
    findings: list[Finding] = field(default_factory=list)

    def found(self, place: str, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(place, what))


def verify_export(
    lines: Iterable[bytes], key: NoteKey, verify: VerifySignature, *, meaning: bool = True
) -> Verified:
    """Read the export, line by line. Never raises, whatever the lines are.

    `meaning` looks into each row as well, which takes several times as long as hashing it.
    """
    reading = _Reading(_Lines(lines), key, verify, Meaning() if meaning else None)
    try:
        reading.read()
    except _Broken as broken:
        reading.result.found(f"line {broken.line}", broken.what)
    return reading.result


class _Broken(Exception):  # noqa: N818
    """What follows in the file cannot be told apart any more."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


class _Lines:
    """The file's lines, which are rows, and between them those that say what the rows are."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._ahead: bytes | None = None
        self.number = 0
        """Of the last line that was read, from 1."""

    def control(self) -> tuple[str, Any]:
        """The name and the value of the line, which is not a row; _Broken when it is none."""
        line = self._next()
        if line is None:
            raise _Broken(self.number, "the file ends here, before its end")
        try:
            members = parsed(line)
        except BatchInvalid as error:
            raise _Broken(self.number, str(error)) from error
        if len(members) != 1:
            raise _Broken(self.number, "a row that belongs to no batch")
        return next(iter(members.items()))

    def rows(self) -> list[bytes]:
        """All lines up to the next that is no row."""
        found: list[bytes] = []
        while (line := self._next()) is not None:
            if line.startswith(CONTROLS):
                self._ahead, self.number = line, self.number - 1
                break
            found.append(line)
        return found

    @property
    def is_at_end(self) -> bool:
        return self._next() is None

    def _next(self) -> bytes | None:
        line, self._ahead = self._ahead, None
        if line is None:
            line = next(self._lines, None)
        if line is None:
            return None
        self.number += 1
        return line.removesuffix(b"\n")


class _Reading:
    def __init__(
        self, lines: _Lines, key: NoteKey, verify: VerifySignature, meaning: Meaning | None
    ) -> None:
        self._lines = lines
        self._key = key
        self._verify = verify
        self._meaning = meaning
        self._tree: Frontier | None = None
        self._signed: Checkpoint | None = None
        self._next_number: int | None = None
        self.result = Verified()

    def read(self) -> None:
        self._header()
        while True:
            name, value = self._lines.control()
            if name == "batch":
                self._batch(value)
            elif name == "uncovered":
                self._uncovered(value)
                return self._end()
            elif name == "more":
                raise _Broken(self._lines.number, "the export goes on, and the rest is not here")
            else:
                raise _Broken(self._lines.number, "neither a batch nor the rows not covered yet")

    def _header(self) -> None:
        name, value = self._lines.control()
        if name != "export" or not isinstance(value, dict) or value.get("format") != FORMAT:
            raise _Broken(1, "not an export of the trail, or in a format not known here")
        if value.get("origin") != self._key.name:
            self.result.found("line 1", "an export of another trail than the key's")

    def _batch(self, value: object) -> None:
        line = self._lines.number
        try:
            batch = Batch.from_json(value)
        except BatchInvalid as error:
            raise _Broken(line, "the batch cannot be read") from error
        before = self._before(batch)
        rows = self._lines.rows()
        hashes = [leaf_hash(row) for row in rows]
        self.result.batches += 1
        self.result.rows += len(rows)
        self._tree = self._as_signed(batch, before, hashes)
        if self._tree is not None:
            self._examine(batch.segments, rows)
            return
        for place, what in faults(batch, hashes, line + 1):
            self.result.found(place, what)
        if self._meaning:
            self._meaning.pass_over(batch.segments)

    def _before(self, batch: Batch) -> Frontier:
        """The tree that the rows were added to: the verified one, else the one that they name."""
        expected, self._next_number = self._next_number, batch.number + 1
        if expected is not None and batch.number != expected:
            self._tree = self._signed = None
            self.result.found(f"checkpoint {expected}", f"is followed by {batch.number} here")
        elif self._signed is not None and not self._signed.covers(batch.before):
            self.result.found(_rows_of(batch), "what it says was before them is not as it was")
        return batch.before if self._tree is None else self._tree

    def _as_signed(self, batch: Batch, before: Frontier, hashes: list[bytes]) -> Frontier | None:
        """The tree with the rows, when it is the one that was signed."""
        self._signed = self._checkpoint(batch)
        after = before.extended(hashes)
        if self._signed is None:
            return None
        if not self._signed.covers(after):
            self.result.found(_rows_of(batch), f"not what checkpoint {batch.number} signed")
            return None
        if before.size != self._signed.since:
            self.result.found(_rows_of(batch), "rows before these were taken away")
        if self.result.first is None:
            self.result.first, self.result.start = self._signed, before.size
        self.result.last = self._signed
        if list(batch.leaves) != hashes:
            self.result.found(_rows_of(batch), "are as signed, but not the list of their hashes")
        return after

    def _checkpoint(self, batch: Batch) -> Checkpoint | None:
        try:
            return signed_checkpoint(batch.note, self._key, self._verify)
        except NoteInvalid as error:
            self.result.found(_rows_of(batch), f"checkpoint {batch.number}: {error}")
            return None

    def _uncovered(self, value: object) -> None:
        line = self._lines.number
        try:
            segments = segments_of(value)
        except (TypeError, ValueError) as error:
            raise _Broken(line, "the list of the rows not covered yet cannot be read") from error
        rows = self._lines.rows()
        self.result.uncovered += len(rows)
        said = sum(segment.count for segment in segments)
        if said != len(rows):
            self.result.found(f"line {line}", f"says {said} rows, and {len(rows)} follow")
        else:
            self._examine(segments, rows)

    def _examine(self, segments: Iterable[Segment], rows: list[bytes]) -> None:
        """As many rows as the segments say."""
        if self._meaning is None:
            return
        places = chain.from_iterable(segment.places() for segment in segments)
        for (stream, number), row in zip(places, rows, strict=False):
            fault = self._meaning.fault(stream, number, row)
            if fault is not None:
                self.result.found(f"row {number} of {stream}", fault)

    def _end(self) -> None:
        name, value = self._lines.control()
        result = self.result
        counted = {"batches": result.batches, "rows": result.rows, "uncovered": result.uncovered}
        if name != "end" or value != counted:
            result.found(f"line {self._lines.number}", "the file has lost or gained a part")
        if not self._lines.is_at_end:
            result.found(f"line {self._lines.number}", "lines follow the end")


def _rows_of(batch: Batch) -> str:
    return ", ".join(
        f"rows {segment.first} to {segment.end - 1} of {segment.stream}"
        for segment in batch.segments
    )
