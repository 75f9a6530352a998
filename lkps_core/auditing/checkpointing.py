"""What the timer does every five minutes: cover the new rows by a signed checkpoint."""

import logging
from datetime import timedelta

from lkps_core.auditing.ledger import Covered, Ledger
from lkps_core.auditing.reading import Piece, days_until, new_rows, segments_of, streams_of
from lkps_core.ports import AlreadyThere, Clock, TrailRows
from lkps_trail.batch import Batch
from lkps_trail.checkpoint import Checkpoint
from lkps_trail.merkle import Frontier, leaf_hash

log = logging.getLogger(__name__)

MOST_ROWS = 4096
"""Under one checkpoint; when more wait, another one follows at once."""

MOST_CHECKPOINTS = 100
"""Of one run."""

EVERY = timedelta(minutes=5)
LATE = 3 * EVERY


class Checkpointing:
    """Two runs at once are harmless: a number is given once, and the slower run begins anew."""

    def __init__(self, rows: TrailRows, ledger: Ledger, clock: Clock) -> None:
        self._rows = rows
        self._ledger = ledger
        self._clock = clock

    async def run(self) -> int:
        """Return how many checkpoints were made. Raises StorageUnavailable, SigningUnavailable."""
        streams = await streams_of(self._rows, days_until(self._clock()))
        for made in range(MOST_CHECKPOINTS):
            if not await self._cover(streams):
                return made
        return MOST_CHECKPOINTS

    async def _cover(self, streams: list[str]) -> bool:
        last = await self._ledger.last()
        before = last.positions if last else {}
        pieces = await new_rows(self._rows, streams, before, MOST_ROWS)
        if not pieces:
            return False
        covered = await self._signed(last, pieces, streams)
        try:
            await self._ledger.add(covered)
        except AlreadyThere:
            log.info("another run made this checkpoint", extra={"number": covered.batch.number})
        return True

    async def _signed(
        self, last: Covered | None, pieces: list[Piece], streams: list[str]
    ) -> Covered:
        positions = dict(last.positions) if last else {}
        segments = segments_of(pieces, positions)
        leaves = tuple(leaf_hash(row) for piece in pieces for _, row in piece.rows)
        tree = last.batch.after if last else Frontier()
        checkpoint = self._checkpoint(last, tree, tree.extended(leaves))
        signed = await self._ledger.signed(checkpoint)
        positions |= {piece.stream: piece.next for piece in pieces}
        return Covered(
            Batch(last.batch.number + 1 if last else 1, signed, tree, tuple(segments), leaves),
            {stream: positions[stream] for stream in streams if stream in positions},
        )

    def _checkpoint(self, last: Covered | None, before: Frontier, after: Frontier) -> Checkpoint:
        """Never earlier than the last, whichever clock is ahead: they are searched by time."""
        now = self._clock()
        if last is not None:
            now = max(now, last.checkpoint.at)
        return Checkpoint(self._ledger.origin, after.size, after.root, before.size, now)
