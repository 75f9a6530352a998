"""The sweep's runs: what is due every minute, all every five; an admin runs it, or asks what it
would do.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict

from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.each import each
from lkps_core.errors import SweepUnderWay
from lkps_core.ports import Clock
from lkps_core.sessions.live import Sessions
from lkps_core.sweep.attending import Attending
from lkps_core.sweep.comparing import Comparing
from lkps_core.sweep.model import Kind, Run, Tally
from lkps_core.sweep.tidying import Tidying
from lkps_core.sweep.turns import Taken, Turns
from lkps_core.wire.sweep import RunAnswer, Sweep, SweepAnswer

log = logging.getLogger(__name__)

SECONDS = 45.0
"""After so long a run begins nothing new; the next one goes on."""

MOST_DUE = 1000


class Sweeping:
    def __init__(
        self,
        turns: Turns,
        sessions: Sessions,
        attending: Attending,
        comparing: Comparing,
        tidying: Tidying,
        trail: Trail,
        clock: Clock,
        monotonic: Callable[[], float],
    ) -> None:
        self._turns = turns
        self._sessions = sessions
        self._attending = attending
        self._comparing = comparing
        self._tidying = tidying
        self._trail = trail
        self._clock = clock
        self._monotonic = monotonic

    async def due(self) -> None:
        """What a timer does; another's turn is no failure."""
        await self._at_its_time("due")

    async def full(self) -> None:
        await self._at_its_time("full")

    async def sweep(self, call: Call, request: Sweep) -> RunAnswer:
        """Raises SweepUnderWay."""
        await self._trail.record(
            call.event("platform.swept", comment=request.reason, after=request.terms())
        )
        kind: Kind = "full" if request.full else "due"
        run = await self._run(kind, dry_run=request.dry_run, force=request.force)
        return _answer(run)

    async def show(self) -> SweepAnswer:
        return SweepAnswer(runs=[_answer(run) for run in await self._turns.last()])

    async def _at_its_time(self, kind: Kind) -> None:
        try:
            await self._run(kind, dry_run=False, force=False)
        except SweepUnderWay:
            log.info("another run of the sweep is under way", extra={"kind": kind})

    async def _run(self, kind: Kind, *, dry_run: bool, force: bool) -> Run:
        began, tally = self._monotonic(), Tally()
        async with self._turns.one() as turn:
            began_at = self._clock()

            def is_over() -> bool:
                return self._monotonic() - began >= SECONDS

            if kind == "due":
                await self._see_to_due(tally, dry_run=dry_run)
            else:
                await self._see_to_all(turn, tally, is_over, dry_run=dry_run, force=force)
            run = tally.run(kind, began_at, self._monotonic() - began)
            if not dry_run:
                turn.run = run
        log.info("swept", extra={"kind": kind, "dry_run": dry_run, "ended": run.ended})
        return run

    async def _see_to_due(self, tally: Tally, *, dry_run: bool) -> None:
        rows = await self._sessions.due(self._clock(), MOST_DUE)
        tally.sessions = len(rows)
        tally.complete = len(rows) < MOST_DUE
        await each(rows, lambda one: self._attending.attend(one, tally, dry_run=dry_run))

    async def _see_to_all(
        self,
        turn: Taken,
        tally: Tally,
        is_over: Callable[[], bool],
        *,
        dry_run: bool,
        force: bool,
    ) -> None:
        cursor = ("", "") if dry_run else turn.cursor
        after = await self._comparing.compare(tally, cursor, is_over, dry_run=dry_run, force=force)
        await self._tidying.tidy(tally, dry_run=dry_run)
        if not dry_run:
            turn.cursor = after


def _answer(run: Run) -> RunAnswer:
    return RunAnswer(**asdict(run))
