"""Seeing to one session that the sweep came by, whatever its row says."""

import logging
from collections.abc import Awaitable, Callable

from lkps_core.audit.stream import Trail
from lkps_core.call import OwnAct
from lkps_core.errors import EditedMeanwhile, Refusal
from lkps_core.ports import Changed, Clock, Rooms, Rows, Stored
from lkps_core.sessions.closing import Closing
from lkps_core.sessions.events import abandoned
from lkps_core.sessions.model import Session
from lkps_core.sessions.watching import Watching
from lkps_core.sweep.model import Tally

log = logging.getLogger(__name__)

OPERATION = "sweep"


class Attending:
    def __init__(
        self,
        sessions: Rows[Session],
        rooms: Rooms,
        trail: Trail,
        watching: Watching,
        closing: Closing,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._rooms = rooms
        self._trail = trail
        self._watching = watching
        self._closing = closing
        self._clock = clock

    async def attend(self, stored: Stored[Session], tally: Tally, *, dry_run: bool) -> None:
        """Never raises a Refusal: one session that cannot be seen to holds up no other.

        Whoever ends a session, or takes a start back, is left some time to do so.
        """
        if stored.row.state != "open" and self._clock() < stored.row.due_at:
            return
        step = self._foresee if dry_run else self._attend
        await self._counted(lambda: step(stored, tally), tally)

    async def _counted(self, step: Callable[[], Awaitable[None]], tally: Tally) -> None:
        try:
            await step()
        except (Changed, EditedMeanwhile):  # others see to it
            return
        except Refusal as error:
            log.warning("a session is left to the next sweep", extra={"reason": error.reason})
            tally.failed += 1

    async def _attend(self, stored: Stored[Session], tally: Tally) -> None:
        before = stored.row
        if before.state == "ended":
            await self._sessions.remove(before, stored.etag)
            tally.rows_removed += 1
        elif before.state == "abandoned":
            await self._finish_undoing(stored)
            tally.ended["abandoned"] += 1
        elif before.state == "ending":
            assert before.cause is not None  # noqa: S101  whoever ends a session says why
            account = OwnAct(self._clock(), OPERATION)
            await self._closing.close(account, stored, before.cause, rule="sweep")
            tally.ended[before.cause] += 1
        else:
            after = await self._watching.look(stored, OPERATION)
            if after.state == "ended":
                tally.ended[str(after.cause)] += 1
            if after.dispatches > before.dispatches:
                tally.agents_dispatched += 1

    async def _foresee(self, stored: Stored[Session], tally: Tally) -> None:
        session = stored.row
        if session.state == "ended":
            tally.rows_removed += 1
        elif session.state != "open":
            tally.ended[session.cause or "abandoned"] += 1
        else:
            cause, want = await self._watching.foresee(session)
            if cause:
                tally.ended[cause] += 1
            if want:
                tally.agents_dispatched += 1

    async def _finish_undoing(self, stored: Stored[Session]) -> None:
        """Of a start that failed, in a process that died before it was taken back."""
        session = stored.row
        await self._rooms.delete(session.room_name)
        account = OwnAct(self._clock(), OPERATION)
        await self._trail.record(abandoned(account, session, rule=OPERATION))
        await self._sessions.remove(session, stored.etag)
