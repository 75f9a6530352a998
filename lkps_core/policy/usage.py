"""How many sessions are open: counted from their rows, and from those this process just started.

Nothing is kept in counters. What other processes start is seen after 5 s at most: together they
can exceed a limit by what they start in that time. One process alone never does.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lkps_core.errors import LiveKitUnavailable
from lkps_core.freshness import Fresh, Read
from lkps_core.policy.model import Usage
from lkps_core.ports import Rooms
from lkps_core.sessions.model import Session
from lkps_core.sessions.open import Sessions

log = logging.getLogger(__name__)

AGAIN_AFTER = 1.0
"""Seconds for which refusals rest on one reading: a flood of them must not read as often."""

SETTLED = timedelta(seconds=30)
"""The age from which an open session whose room is gone is over, though nobody ended it."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """Open sessions of one agent by id, as they were read."""

    sessions: Mapping[str, Session]


@dataclass(slots=True)
class _Own:
    """A session of this process; from `durable_at` on, a reading that begins sees its row."""

    grant_id: str | None
    durable_at: float | None = None


class UsageBook:
    def __init__(self, sessions: Sessions, rooms: Rooms, monotonic: Callable[[], float]) -> None:
        async def read(agent_name: str) -> _Opened:
            return _Opened({one.id: one for one in await sessions.open_of(agent_name)})

        self._rooms = rooms
        self._monotonic = monotonic
        self._known = Fresh[str, _Opened](read, monotonic)
        self._own: dict[str, dict[str, _Own]] = {}
        self._over: dict[str, dict[str, float]] = {}

    async def of(self, agent_name: str, now: datetime, *, apart_from: str | None = None) -> Usage:
        """The agent's open sessions without `apart_from`, from what is remembered where it can."""
        known = self._known.peek(agent_name) or await self._known.look(agent_name)
        return self._counted(agent_name, known, now, apart_from)

    async def exactly(
        self, agent_name: str, now: datetime, *, apart_from: str | None = None
    ) -> Usage:
        """Read anew, and without those whose room LiveKit has closed: what a refusal rests on."""
        known = self._known.peek(agent_name)
        if known is None or self._monotonic() - known.began >= AGAIN_AFTER:
            known = await self._known.look(agent_name)
            await self._leave_out_closed_rooms(agent_name, known, now)
        return self._counted(agent_name, known, now, apart_from)

    def begin(self, session: Session) -> None:
        """Count the session from this moment on."""
        self._own.setdefault(session.agent_name, {})[session.id] = _Own(session.grant_id)

    def stands(self, session: Session) -> None:
        """Its row is durable."""
        own = self._own.get(session.agent_name, {}).get(session.id)
        if own is not None:
            own.durable_at = self._monotonic()

    def is_over(self, session: Session) -> None:
        """It failed, or it ended: its row says so, or is not there."""
        self._own.get(session.agent_name, {}).pop(session.id, None)
        if self._known.holds(session.agent_name):
            self._over.setdefault(session.agent_name, {})[session.id] = self._monotonic()

    def _counted(
        self, agent_name: str, known: Read[_Opened], now: datetime, apart_from: str | None
    ) -> Usage:
        own = _later(
            self._own,
            agent_name,
            lambda one: one.durable_at is None or one.durable_at >= known.began,
        )
        over = _later(self._over, agent_name, lambda ended_at: ended_at >= known.began)
        grants = {
            one.id: one.grant_id for one in known.value.sessions.values() if now < one.ends_at
        }
        grants |= {session_id: one.grant_id for session_id, one in own.items()}
        left_out = {*over, apart_from}
        counted = [grant for session_id, grant in grants.items() if session_id not in left_out]
        return Usage(len(counted), Counter(grant for grant in counted if grant is not None))

    async def _leave_out_closed_rooms(
        self, agent_name: str, known: Read[_Opened], now: datetime
    ) -> None:
        """LiveKit closes a room that everyone has left: until its row says so, it must not count.

        When LiveKit cannot be asked, all are counted.
        """
        settled = {
            one.room_name: one
            for one in known.value.sessions.values()
            if now - one.created_at >= SETTLED
        }
        if not settled:
            return
        try:
            standing = await self._rooms.standing(settled.keys())
        except LiveKitUnavailable as error:
            log.warning("open sessions' rooms could not be seen", extra={"reason": error.reason})
            return
        for name, session in settled.items():
            if name not in standing:
                self.is_over(session)


def _later[V](
    book: dict[str, dict[str, V]], agent_name: str, is_later: Callable[[V], bool]
) -> Mapping[str, V]:
    """The agent's entries that the reading cannot have seen; the others are forgotten."""
    kept = {key: one for key, one in book.get(agent_name, {}).items() if is_later(one)}
    if kept:
        book[agent_name] = kept
    else:
        book.pop(agent_name, None)
    return kept
