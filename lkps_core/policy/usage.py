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
from lkps_core.ports import Clock, Rooms
from lkps_core.sessions.live import Sessions
from lkps_core.sessions.model import Session

log = logging.getLogger(__name__)

AGAIN_AFTER = 1.0
"""Seconds for which refusals rest on one reading: a flood of them must not read as often."""

SETTLED = timedelta(seconds=30)
"""The age from which an open session whose room is gone is over, though nobody ended it."""

type _Attempt = tuple[str, str]
"""A session's id and the attempt to start it: one that failed may be followed by another."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """Open sessions of one agent by id, as they were read."""

    sessions: Mapping[str, Session]


@dataclass(slots=True)
class _Own:
    """A session of this process; from `durable_at` on, a reading that begins sees its row.

    `attempt` is that of the start which made it stand: a repeat that fails ends nothing.
    """

    attempt: str
    grant_id: str | None
    durable_at: float | None = None


class UsageBook:
    def __init__(
        self, sessions: Sessions, rooms: Rooms, clock: Clock, monotonic: Callable[[], float]
    ) -> None:
        async def read(agent_name: str) -> _Opened:
            live = await sessions.live_of(agent_name, clock())
            return _Opened({one.id: one for one in live if one.state == "open"})

        self._rooms = rooms
        self._monotonic = monotonic
        self._known = Fresh[str, _Opened](read, monotonic)
        self._own: dict[str, dict[str, _Own]] = {}
        self._over: dict[str, dict[_Attempt, float]] = {}
        self._compared: dict[str, float] = {}

    async def of(self, agent_name: str, now: datetime, *, apart_from: str | None = None) -> Usage:
        """The agent's open sessions without `apart_from`, from what is remembered where it can."""
        known = self._known.peek(agent_name) or await self._known.look(agent_name)
        self._known.keep(agent_name)
        return self._counted(agent_name, known, now, apart_from)

    async def exactly(
        self, agent_name: str, now: datetime, *, apart_from: str | None = None
    ) -> Usage:
        """Read anew, and without those whose room LiveKit has closed: what a refusal rests on."""
        known = self._known.peek(agent_name)
        if known is None or self._monotonic() - known.began >= AGAIN_AFTER:
            known = await self._known.look(agent_name)
        if self._compared.get(agent_name) != known.began:
            await self._leave_out_closed_rooms(agent_name, known, now)
            self._compared[agent_name] = known.began
        return self._counted(agent_name, known, now, apart_from)

    def begin(self, session: Session) -> None:
        """Count the session from this moment on; a repeat's is counted as what it is already."""
        own = self._own.setdefault(session.agent_name, {})
        own.setdefault(session.id, _Own(session.attempt, session.grant_id))

    def stands(self, session: Session) -> None:
        """Its row is durable."""
        own = self._own.setdefault(session.agent_name, {})
        own[session.id] = _Own(session.attempt, session.grant_id, self._monotonic())

    def is_over(self, session: Session) -> None:
        """It ended, or this attempt to start it failed: its row says so, or is not there."""
        own = self._own.get(session.agent_name, {})
        there = own.get(session.id)
        if there is not None and (session.state != "open" or there.attempt == session.attempt):
            del own[session.id]
        if self._known.holds(session.agent_name):
            over = self._over.setdefault(session.agent_name, {})
            over[session.id, session.attempt] = self._monotonic()

    def _counted(
        self, agent_name: str, known: Read[_Opened], now: datetime, apart_from: str | None
    ) -> Usage:
        known = self._known.peek(agent_name) or known  # what a newer one has seen is forgotten here
        own = _later(
            self._own,
            agent_name,
            lambda one: one.durable_at is None or one.durable_at >= known.began,
        )
        over = _later(self._over, agent_name, lambda ended_at: ended_at >= known.began)
        grants = {session_id: one.grant_id for session_id, one in own.items()} | {
            one.id: one.grant_id
            for one in known.value.sessions.values()
            if now < one.ends_at and (one.id, one.attempt) not in over
        }
        counted = [grant for session_id, grant in grants.items() if session_id != apart_from]
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


def _later[K, V](
    book: dict[str, dict[K, V]], agent_name: str, is_later: Callable[[V], bool]
) -> Mapping[K, V]:
    """The agent's entries that the reading cannot have seen; the others are forgotten."""
    kept = {key: one for key, one in book.get(agent_name, {}).items() if is_later(one)}
    if kept:
        book[agent_name] = kept
    else:
        book.pop(agent_name, None)
    return kept
