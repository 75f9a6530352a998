"""A trail as the service writes it, and its export."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lkps_trail import export
from lkps_trail.batch import Batch, Segment
from lkps_trail.canonical import canonical
from lkps_trail.checkpoint import Checkpoint, instant
from lkps_trail.merkle import Frontier, leaf_hash
from tests.trail.parts.keys import Signer

BEGIN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
AGENTS = ("concierge", "greeter", "übersetzer")


def row(stream: str, number: int, *, salt: str = "", **changes: object) -> bytes:
    """One of the trail's rows; rows with another salt are of another trail."""
    members: dict[str, object] = {
        "schema": 1,
        "stream": stream,
        "number": number,
        "application": "0.9.0",
        "at": instant(BEGIN + timedelta(seconds=number)),
        "action": ("session.authorized", "grant.changed", "request.refused")[number % 3],
        "outcome": ("success", "success", "refused")[number % 3],
        "agent_name": AGENTS[number % len(AGENTS)],
        "session_id": f"{salt}{stream[-2:]}{number:04}",
        "before": {"max_sessions": number},
        **changes,
    }
    return canonical(members)


type Covered = tuple[Batch, list[bytes]]


@dataclass
class Trail:
    """Grows by checkpoints; `uncovered` are the rows that none covers yet."""

    signer: Signer
    salt: str = ""
    tree: Frontier = field(default_factory=Frontier)
    number: int = 0
    next: dict[str, int] = field(default_factory=dict)
    covered: list[Covered] = field(default_factory=list)
    uncovered: list[tuple[Segment, list[bytes]]] = field(default_factory=list)

    def checkpoint(self, *lengths: tuple[str, int]) -> None:
        """Cover so many new rows of these streams by a checkpoint."""
        pieces = [self._piece(stream, length) for stream, length in lengths]
        rows = [one for _, rows in pieces for one in rows]
        leaves = tuple(map(leaf_hash, rows))
        after = self.tree.extended(leaves)
        at = BEGIN + timedelta(minutes=5 * self.number)
        size = self.tree.size
        text = Checkpoint(self.signer.origin, after.size, after.root, size, at).text
        segments = tuple(segment for segment, _ in pieces)
        self.number += 1
        batch = Batch(self.number, self.signer.note(text), self.tree, segments, leaves)
        self.covered.append((batch, rows))
        self.tree = after

    def wait(self, *lengths: tuple[str, int]) -> None:
        """So many more rows are not covered yet."""
        self.uncovered += [self._piece(stream, length) for stream, length in lengths]

    def export(self, first: int = 1) -> list[bytes]:
        """From the checkpoint with this number on."""
        return lines(self.signer, self.covered[first - 1 :], self.uncovered)

    def _piece(self, stream: str, length: int) -> tuple[Segment, list[bytes]]:
        first = self.next.get(stream, 0)
        self.next[stream] = first + length
        numbers = range(first, first + length)
        return Segment(stream, first, length), [
            row(stream, number, salt=self.salt) for number in numbers
        ]


def lines(
    signer: Signer, covered: Sequence[Covered], uncovered: Sequence[tuple[Segment, list[bytes]]]
) -> list[bytes]:
    """Each ends with its newline, as a file's lines do."""
    period = instant(BEGIN), instant(BEGIN + timedelta(days=1))
    waiting = [one for _, rows in uncovered for one in rows]
    made = [export.header(signer.origin, signer.key.text, period)]
    for batch, rows in covered:
        made += export.batch_lines(batch, rows)
    made += export.uncovered_lines([segment for segment, _ in uncovered], waiting)
    count = sum(len(rows) for _, rows in covered)
    made.append(export.end(batches=len(covered), rows=count, uncovered=len(waiting)))
    return as_lines(made)


def as_lines(made: Iterable[str]) -> list[bytes]:
    return [f"{line}\n".encode() for line in made]


A, B, C = "2026-11-24_a1", "2026-11-24_b2", "2026-11-25_c3"


def small_trail(signer: Signer, salt: str = "") -> Trail:
    """Four checkpoints over three streams, and rows that wait for the fifth."""
    trail = Trail(signer, salt)
    trail.checkpoint((A, 4))
    trail.checkpoint((A, 3), (B, 4))
    trail.checkpoint((B, 2), (A, 2), (C, 3))
    trail.checkpoint((C, 5))
    trail.wait((A, 2), (C, 3))
    return trail
