"""Clearing: ending the live sessions that a block concerns, and those that come just after it.

A start that was decided on rows from just before the block still has 5 s of memory and 3 s for its
effects: so live sessions are ended at once, and again and again until 9 s after it, when no such
start can be under way any more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from operator import attrgetter

from lkps_core.agents.names import agent_name_in
from lkps_core.call import Call
from lkps_core.each import each
from lkps_core.errors import LiveKitUnavailable, Refusal
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.model import (
    Revocation,
    agent_subject,
    application_subject,
    user_subject,
)
from lkps_core.ports import Clock, Rooms
from lkps_core.sessions.closing import Closing
from lkps_core.sessions.live import Sessions, find
from lkps_core.sessions.model import Session
from lkps_core.sessions.naming import session_id_in
from lkps_core.undoing import Undoing

log = logging.getLogger(__name__)

AGAIN_AFTER = 9.0
"""Seconds until the last time: 5 of memory, 3 for the effects of a start, and one to spare."""

TIMES = 3
"""Times that live sessions are ended again, lest all that came meanwhile is left to the last."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """Live sessions that a block concerned, and how many of them have ended now."""

    found: int
    ended: int


@dataclass(slots=True)
class _Live:
    """The sessions that a block has concerned so far; those `taken` are being ended, or are."""

    sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    taken: set[str] = field(default_factory=set[str])
    ended: set[str] = field(default_factory=set[str])

    def add(self, sessions: Iterable[Session]) -> None:
        self.sessions |= {one.id: one for one in sessions}

    def newest_first(self) -> list[Session]:
        return sorted(self.sessions.values(), key=attrgetter("created_at"), reverse=True)


class Clearing:
    def __init__(
        self,
        installation: str,
        evidences: Evidences,
        sessions: Sessions,
        rooms: Rooms,
        closing: Closing,
        undoing: Undoing,
        clock: Clock,
    ) -> None:
        self._installation = installation
        self._evidences = evidences
        self._sessions = sessions
        self._rooms = rooms
        self._closing = closing
        self._undoing = undoing
        self._clock = clock

    async def clear(self, call: Call, revocation: Revocation) -> Cleared:
        """End what is live, and in the background what is left after a moment, or comes later.

        Raises StorageUnavailable when that cannot be found just now; it is looked for again.
        """
        live = self.clear_later(call, revocation)
        live.add(await self._concerned(revocation))
        await self._undoing.undo(partial(self._end_what_can_be, call, live))
        return Cleared(len(live.sessions), len(live.ended))

    def clear_later(self, call: Call, revocation: Revocation) -> _Live:
        """End what will be live by then, at each of the times after now, if the block stands."""
        live = _Live()
        for time in range(1, TIMES + 1):
            step = partial(self._end_again, call, revocation, live)
            self._undoing.later(step, after=time * AGAIN_AFTER / TIMES)
        return live

    async def _end_again(self, call: Call, revocation: Revocation, live: _Live) -> None:
        """End what has come since, and once more what was ended before: of a start that was under
        way, the room may have been made after its row had ended.

        Raises the refusal of what could not be ended, so that it is tried again.
        """
        if not (await self._evidences.blocks_now()).blocks(revocation.subject, call.at):
            return  # lifted meanwhile
        found = await self._concerned(revocation)
        live.add(one for one in found if revocation.holds(one.created_at))
        refused = await self._end_all(call, live)
        if refused:
            raise refused[0]

    async def _end_what_can_be(self, call: Call, live: _Live) -> None:
        await self._end_all(call, live)

    async def _end_all(self, call: Call, live: _Live) -> list[Refusal]:
        """End the rooms that stand, newest first, then the sessions; answer what was refused."""
        sessions = live.newest_first()
        try:
            standing = await self._rooms.standing([one.room_name for one in sessions])
        except LiveKitUnavailable as error:
            return [error]
        rooms = [one for one in sessions if one.room_name in standing]
        refused = await _take(rooms, lambda session: self._rooms.delete(session.room_name))
        return refused + await _take(sessions, partial(self._end, call, live))

    async def _end(self, call: Call, live: _Live, session: Session) -> None:
        """Once, whichever of the times comes first."""
        if session.id in live.taken:
            return
        live.taken.add(session.id)
        try:
            await self._end_row(replace(call, at=self._clock()), session)
        except Refusal:
            live.taken.discard(session.id)
            raise
        live.ended.add(session.id)

    async def _end_row(self, call: Call, session: Session) -> None:
        """Write of the session that it has ended; its room goes once more."""
        stored = await self._sessions.get(session.partition, session.key)
        if stored is not None and stored.row.state in ("open", "ending"):
            await self._closing.close_by_will(call, stored, "blocked", "block")

    async def _concerned(self, revocation: Revocation) -> list[Session]:
        """Live sessions as their rows tell, and those over time whose rooms stand all the same."""
        kind, subject_id = revocation.kind, revocation.subject_id
        if kind == "session":
            return await self._there([subject_id])
        now = self._clock()
        if kind == "agent":
            rows = await self._sessions.live_of(subject_id, now)
        else:
            rows = await self._sessions.live_anywhere(now)
        overdue = await self._there(await self._overdue(revocation, {one.id for one in rows}))
        return [one for one in (*rows, *overdue) if _is_of(one, revocation)]

    async def _overdue(self, revocation: Revocation, known: Collection[str]) -> list[str]:
        """The sessions of rooms that stand, apart from those that are known."""
        try:
            standing = await self._rooms.all_standing()
        except LiveKitUnavailable as error:
            log.warning("sessions over time could not be seen", extra={"reason": error.reason})
            return []
        ids = (session_id_in(self._installation, room.name) for room in standing)
        others = [one for one in ids if one is not None and one not in known]
        if revocation.kind == "agent":
            return [one for one in others if agent_name_in(one) == revocation.subject_id]
        return others

    async def _there(self, session_ids: Iterable[str]) -> list[Session]:
        """Those of the sessions that have not ended."""
        stored = await asyncio.gather(*(find(self._sessions, one) for one in session_ids))
        return [one.row for one in stored if one is not None and one.row.state != "ended"]


async def _take(
    sessions: Iterable[Session], step: Callable[[Session], Awaitable[None]]
) -> list[Refusal]:
    """Take the step for all, some at a time; answer what was refused."""
    refused: list[Refusal] = []

    async def take(session: Session) -> None:
        try:
            await step(session)
        except Refusal as error:
            log.warning("a blocked session has not ended yet", extra={"reason": error.reason})
            refused.append(error)

    await each(sessions, take)
    return refused


def _is_of(session: Session, revocation: Revocation) -> bool:
    """Also when it blocks a guest: who was put out could come back with the token it has."""
    if revocation.subject == agent_subject(session.agent_name):
        return True
    callers = [(session.starter, session.azp), *((one.id, one.azp) for one in session.guests)]
    return any(
        revocation.subject in (application_subject(one.tid, azp), user_subject(one.tid, one.oid))
        for one, azp in callers
    )
