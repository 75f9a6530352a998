"""The trail of a period as lines, with the checkpoints that cover it: to be verified offline."""

import re
from dataclasses import dataclass
from datetime import datetime

from lkps_core.auditing.ledger import Covered, Ledger
from lkps_core.auditing.reading import (
    SETTLED,
    days_until,
    new_rows,
    rows_from,
    segments_of,
    streams_of,
)
from lkps_core.errors import QueryInvalid
from lkps_core.ports import TrailRows
from lkps_trail import export
from lkps_trail.batch import Segment
from lkps_trail.checkpoint import instant

MOST_ROWS = 10_000
"""Of one answer; a checkpoint's rows are never parted."""

_AFTER = re.compile(r"([0-9]{1,12})-([0-9]{1,12})-([0-9]{1,12})")


@dataclass(slots=True)
class _Progress:
    """How far the export is: the last checkpoint in it, and what it has counted."""

    number: int
    batches: int = 0
    rows: int = 0

    @property
    def token(self) -> str:
        return f"{self.number}-{self.batches}-{self.rows}"

    @classmethod
    def parse(cls, token: str) -> "_Progress":
        found = _AFTER.fullmatch(token)
        if not found:
            raise QueryInvalid("`after` must be the one that the export named.")
        return cls(*map(int, found.groups()))


class Exporting:
    def __init__(self, rows: TrailRows, ledger: Ledger) -> None:
        self._rows = rows
        self._ledger = ledger

    async def lines(self, since: datetime, until: datetime, now: datetime, after: str) -> list[str]:
        """The export's lines; the last is its end, or says with which `after` it goes on.

        All rows from `since` until `until` are in it, with all others that their checkpoints cover.
        """
        lines: list[str] = []
        if after:
            progress = _Progress.parse(after)
        else:
            progress = _Progress(await self._ledger.first_since(since) - 1)
            key = (await self._ledger.key()).text
            period = instant(since), instant(until)
            lines.append(export.header(self._ledger.origin, key, period))
        last, first_row = await self._ledger.last_number(), progress.rows
        if progress.number > last:
            raise QueryInvalid("`after` must be the one that the export named.")
        while progress.number < last:
            if progress.rows - first_row >= MOST_ROWS:
                return [*lines, export.more(progress.token)]
            covered = await self._ledger.get(progress.number + 1)
            lines += await self._batch(covered)
            progress.number += 1
            progress.batches += 1
            progress.rows += len(covered.batch.leaves)
            if covered.checkpoint.at >= until + SETTLED:
                return [*lines, *export.uncovered_lines([], []), _end(progress, 0)]
        uncovered, rows = await self._uncovered(progress.number, now)
        return [*lines, *export.uncovered_lines(uncovered, rows), _end(progress, len(rows))]

    async def _batch(self, covered: Covered) -> list[str]:
        """The rows as they stand now: what is gone or changed, verifying tells."""
        rows: list[bytes] = []
        for one in covered.batch.segments:
            found = await rows_from(self._rows, one.stream, one.first, one.count)
            rows += [row for number, row in found if number < one.end]
        return list(export.batch_lines(covered.batch, rows))

    async def _uncovered(self, number: int, now: datetime) -> tuple[list[Segment], list[bytes]]:
        """Rows that this checkpoint leaves; those that a newer one covers meanwhile, too."""
        positions = (await self._ledger.get(number)).positions if number else {}
        streams = await streams_of(self._rows, days_until(now))
        pieces = await new_rows(self._rows, streams, positions, MOST_ROWS)
        return segments_of(pieces, positions), [row for one in pieces for _, row in one.rows]


def _end(progress: _Progress, uncovered: int) -> str:
    return export.end(batches=progress.batches, rows=progress.rows, uncovered=uncovered)
