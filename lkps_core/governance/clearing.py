"""Clearing: ending the live sessions that a block concerns, and those that come just after it.

A start that was decided on rows from just before the block still has 5 s of memory and 3 s for its
effects: so live sessions are ended at once, and again and again until 9 s after it, when no such
start can be under way any more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from lkps_core.agents.names import agent_name_in
from lkps_core.call import Call
from lkps_core.errors import Refusal
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.model import Revocation, application_subject, user_subject
from lkps_core.sessions.ending import Ending
from lkps_core.sessions.model import Session
from lkps_core.sessions.naming import user_identity
from lkps_core.sessions.unended import Sessions
from lkps_core.undoing import Undoing

log = logging.getLogger(__name__)

AGAIN_AFTER = 9.0
"""Seconds until the last time: 5 of memory, 3 for the effects of a start, and one to spare."""

TIMES = 3
"""Times that live sessions are ended again, lest all that came meanwhile is left to the last."""

AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Cleared:
    """Live sessions that a block concerned, and how many of them have ended now."""

    found: int
    ended: int


@dataclass(slots=True)
class _Live:
    """The sessions that a block has concerned so far, and which of them have ended."""

    sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    ended: set[str] = field(default_factory=set[str])

    def add(self, sessions: Iterable[Session]) -> None:
        self.sessions |= {one.id: one for one in sessions}


class Clearing:
    def __init__(
        self, evidences: Evidences, sessions: Sessions, ending: Ending, undoing: Undoing
    ) -> None:
        self._evidences = evidences
        self._sessions = sessions
        self._ending = ending
        self._undoing = undoing

    async def clear(self, call: Call, revocation: Revocation) -> Cleared:
        """End what is live, and in the background what is left after a moment, or comes later.

        Raises StorageUnavailable when that cannot be found just now; it is looked for again.
        """
        live = _Live()
        try:
            live.add(await self._concerned(revocation))
        except Refusal:
            self._end_later(call, revocation, live, TIMES)
            raise
        await self._undoing.undo(partial(self._end_first, call, revocation, live))
        return Cleared(len(live.sessions), len(live.ended))

    async def _end_first(self, call: Call, revocation: Revocation, live: _Live) -> None:
        await self._end_all(call, live)
        self._end_later(call, revocation, live, TIMES)

    def _end_later(self, call: Call, revocation: Revocation, live: _Live, times: int) -> None:
        step = partial(self._end_again, call, revocation, live, times)
        self._undoing.later(step, after=AGAIN_AFTER / TIMES)

    async def _end_again(self, call: Call, revocation: Revocation, live: _Live, times: int) -> None:
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
        if times > 1:
            self._end_later(call, revocation, live, times - 1)

    async def _end_all(self, call: Call, live: _Live) -> list[Refusal]:
        """End all rooms, then each session; answer what was refused."""

        async def end(session: Session) -> None:
            await self._ending.end_blocked(call, session)
            live.ended.add(session.id)

        sessions = [*live.sessions.values()]
        return [*await _each(sessions, self._ending.close_room), *await _each(sessions, end)]

    async def _concerned(self, revocation: Revocation) -> list[Session]:
        kind, subject_id = revocation.kind, revocation.subject_id
        if kind == "session":
            stored = await self._sessions.get(agent_name_in(subject_id) or "", subject_id)
            return [stored.row] if stored and stored.row.state in ("open", "ending") else []
        if kind == "agent":
            return [*await self._sessions.unended_of(subject_id)]
        unended = await self._sessions.unended_anywhere()
        return [one for one in unended if _is_of(one, revocation)]


async def _each(
    sessions: Iterable[Session], step: Callable[[Session], Awaitable[None]]
) -> list[Refusal]:
    """Take the step for all, some at a time; answer what was refused."""
    at_once = asyncio.Semaphore(AT_ONCE)
    refused: list[Refusal] = []

    async def take(session: Session) -> None:
        async with at_once:
            try:
                await step(session)
            except Refusal as error:
                log.warning("a blocked session has not ended yet", extra={"reason": error.reason})
                refused.append(error)

    await asyncio.gather(*(take(session) for session in sessions))
    return refused


def _is_of(session: Session, revocation: Revocation) -> bool:
    starter = session.starter
    if revocation.kind == "application":
        return application_subject(starter.tid, session.azp) == revocation.subject
    is_theirs = user_subject(starter.tid, starter.oid) == revocation.subject
    return is_theirs and session.participant_identity == user_identity(starter)
