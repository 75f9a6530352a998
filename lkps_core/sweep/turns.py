"""One run at a time, on whichever instance: a row that says whose turn it is, and until when.

An instance that dies in its turn says nothing: its turn ends by itself.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from lkps_core.errors import SweepUnderWay
from lkps_core.ports import AlreadyThere, Changed, Clock, Randomness, Rows, Stored
from lkps_core.sweep.model import Run, Turn

TURN = timedelta(seconds=90)
"""Longer than a run takes by far."""


@dataclass(slots=True)
class Taken:
    """A turn, with what its run leaves to the next."""

    stored: Stored[Turn]
    cursor: tuple[str, str]
    run: Run | None = None


class Turns:
    def __init__(self, rows: Rows[Turn], clock: Clock, randomness: Randomness) -> None:
        self._rows = rows
        self._clock = clock
        self._randomness = randomness

    async def last(self) -> tuple[Run, ...]:
        """How the last run of each kind went."""
        stored = await self._rows.get("platform", "sweep")
        return stored.row.last if stored else ()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Taken]:
        """Raise SweepUnderWay while it is another's turn."""
        taken = await self._take()
        try:
            yield taken
        finally:
            await self._give_back(taken)

    async def _take(self) -> Taken:
        stored, now = await self._rows.get("platform", "sweep"), self._clock()
        if stored is not None and now < stored.row.until:
            raise SweepUnderWay
        before = stored.row if stored else Turn("", now)
        mine = replace(before, holder=self._randomness(16).hex(), until=now + TURN)
        try:
            if stored is None:
                etag = await self._rows.add(mine)
            else:
                etag = await self._rows.replace(mine, stored.etag)
        except (AlreadyThere, Changed) as error:
            raise SweepUnderWay from error
        return Taken(Stored(mine, etag), (mine.cursor_agent, mine.cursor_session))

    async def _give_back(self, taken: Taken) -> None:
        mine, run = taken.stored.row, taken.run
        others = [one for one in mine.last if run is None or one.kind != run.kind]
        agent, session = taken.cursor
        over = replace(
            mine,
            until=self._clock(),
            cursor_agent=agent,
            cursor_session=session,
            last=(*others, run) if run else mine.last,
        )
        try:
            await self._rows.replace(over, taken.stored.etag)
        except Changed:  # it took so long that the turn went to another
            return
