"""Bringing together what a session's row says and what its room shows, and seeing to its agent.

LiveKit tells of a room, a worker of its jobs, a caller asks, the sweep comes by: each is a reason
to look at the room as it is now. What follows is in `life`; here it is done. The row is written
before anything is done, and whoever writes it first does it: two who look at once do it once.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial

from lkps_core.agents.directory import Directory
from lkps_core.agents.routing import dispatch_version, routing_secret
from lkps_core.audit.stream import Trail
from lkps_core.call import OwnAct
from lkps_core.errors import EditedMeanwhile
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.model import agent_subject
from lkps_core.ports import (
    Changed,
    Clock,
    Dispatch,
    Randomness,
    RoomEvent,
    Rooms,
    RoomView,
    Rows,
    Stored,
)
from lkps_core.sessions.closing import Closing
from lkps_core.sessions.events import of
from lkps_core.sessions.life import (
    Want,
    claimed,
    dispatched,
    foreign,
    joined,
    over,
    seen,
    surplus,
    told,
    wanted,
)
from lkps_core.sessions.live import find
from lkps_core.sessions.model import GRACE, Cause, Job, Session
from lkps_core.sessions.naming import session_id_in
from lkps_core.settings import Settings
from lkps_core.undoing import Undoing

log = logging.getLogger(__name__)

CONFIRM_AFTER = 6.0
"""Seconds after which an agent is no job of the room if LiveKit still does not list it as one.

For 5 s after a worker came or went, LiveKit does not list who took a job (`CheckEnabledTimeout` in
livekit-server's `pkg/agent/client.go`).
"""

LOOK_AFTER = GRACE.total_seconds() + 0.2
"""Seconds after a start, when its agent is in the room unless it does not come."""

MOST_LOOKS = 32
"""Starts of this process that it looks after: the others are left to the sweep."""

HEARD_AT_ONCE = 8
"""Events that are seen to at a time: a thousand rooms that close at once leave room for callers."""

_ATTEMPTS = 6
_HEARD = "livekit_webhook"


class Watching:
    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        evidences: Evidences,
        sessions: Rows[Session],
        rooms: Rooms,
        trail: Trail,
        closing: Closing,
        undoing: Undoing,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._evidences = evidences
        self._sessions = sessions
        self._rooms = rooms
        self._trail = trail
        self._closing = closing
        self._undoing = undoing
        self._clock = clock
        self._randomness = randomness
        self._to_look_at: set[str] = set()
        self._hearing = asyncio.Semaphore(HEARD_AT_ONCE)

    async def heard(self, event: RoomEvent) -> None:
        """LiveKit tells of a room; of one that is no session's here, nothing follows.

        What is told is added to the row, an ended session's too: events come in any order. Raises
        as `look` does, but leaves a session that others are changing to them.
        """
        async with self._hearing:
            stored = await self._session_of(event.room_name)
            if stored is None:
                return
            try:
                await self._hear(stored, event)
            except EditedMeanwhile as error:
                log.warning("an event is left to the sweep", extra={"reason": error.reason})

    async def _hear(self, stored: Stored[Session], event: RoomEvent) -> None:
        if event.news == "joined" and not event.is_agent:
            await self._update(stored, partial(joined, at=event.at))
            return
        if stored.row.state != "open":
            return
        if event.news == "finished":
            await self.look(stored, _HEARD)
        elif event.is_agent:
            if await self._is_own(stored.row, event.identity):
                job = Job(event.identity, event.news)
                stored = await self._update(stored, partial(told, job=job))
            await self.look(stored, _HEARD)

    async def _is_own(self, session: Session, identity: str) -> bool:
        """Whether the agent is a job of the session: of others nothing is remembered."""
        known = {session.agent_identity, *(one.identity for one in session.jobs)}
        if identity in known:
            return True
        if await self._rooms.look(session.room_name) is None:
            return False
        return identity in await self._rooms.jobs(session.room_name)

    async def reported(self, stored: Stored[Session], job: Job, operation: str) -> None:
        """A worker tells what became of its job."""
        stored = await self._update(stored, partial(told, job=job))
        if job.outcome != "accepted":
            with suppress(EditedMeanwhile):  # it is told: whoever changes the session sees to it
                await self.look(stored, operation)

    async def look(self, stored: Stored[Session], operation: str) -> Session:
        """The session as it is now that its room was looked at, with all that follows from it.

        While others keep changing it, as it was read last: they see to it. Raises
        LiveKitUnavailable, StorageUnavailable, AuditUnavailable, and EditedMeanwhile when it was
        taken back.
        """
        for _ in range(_ATTEMPTS):
            if stored.row.state != "open":
                return stored.row
            try:
                return await self._look(stored, operation)
            except (Changed, EditedMeanwhile):
                stored = await self._again(stored)
        return stored.row

    async def foresee(self, session: Session) -> tuple[Cause | None, Want | None]:
        """What a look at the open session would lead to: its end, or another agent."""
        view, now = await self._rooms.look(session.room_name), self._clock()
        cause = over(session, view, now)
        if cause is not None or view is None:
            return cause, None
        own = await self._own(session, view)
        return None, wanted(seen(session, view, own, now), view, now)

    def look_later(self, session: Session, operation: str) -> None:
        """Once, when its agent should be there; best effort, for so many at a time."""
        if len(self._to_look_at) >= MOST_LOOKS:
            return
        self._to_look_at.add(session.id)

        async def look() -> None:
            self._to_look_at.discard(session.id)
            stored = await self._sessions.get(session.partition, session.key)
            if stored is not None and stored.row.awaits_agent:
                await self.look(stored, operation)

        self._undoing.later(look, after=LOOK_AFTER, name="late look")

    async def _look(self, stored: Stored[Session], operation: str) -> Session:
        view = await self._rooms.look(stored.row.room_name)
        account = OwnAct(self._clock(), operation)
        cause = over(stored.row, view, account.at)
        if cause is not None:
            return await self._closing.close(account, stored, cause, rule="session_life")
        if view is None:
            return stored.row
        own = await self._own(stored.row, view)
        stored = await self._written(stored, seen(stored.row, view, own, account.at))
        for identity in surplus(stored.row, view, own):
            await self._remove(account, stored.row, identity, "second_agent")
        if foreign(view, own):
            self._undoing.later(
                partial(self._put_out, stored.row, operation),
                after=CONFIRM_AFTER,
                name="second look",
            )
        why = wanted(stored.row, view, account.at)
        return (await self._dispatch(account, stored, why)).row if why else stored.row

    async def _own(self, session: Session, view: RoomView) -> frozenset[str]:
        """The identities of the session's own jobs: LiveKit is asked where no worker told."""
        own = claimed(session)
        if foreign(view, own):
            return own | await self._rooms.jobs(session.room_name)
        return own

    async def _put_out(self, session: Session, operation: str) -> None:
        """Remove agents that are no job of the room, a moment after they were first seen."""
        stored = await self._sessions.get(session.partition, session.key)
        view = await self._rooms.look(session.room_name)
        if view is None or stored is None:
            return
        account = OwnAct(self._clock(), operation)
        for identity in foreign(view, await self._own(stored.row, view)):
            await self._remove(account, session, identity, "foreign_agent")

    async def _remove(self, account: OwnAct, session: Session, identity: str, why: str) -> None:
        await self._rooms.remove(session.room_name, identity)
        await self._trail.record(
            account.event(
                "session.agent_removed",
                reason=why,
                **of(session),
                participant_identity=identity,
            )
        )

    async def _dispatch(
        self, account: OwnAct, stored: Stored[Session], why: Want
    ) -> Stored[Session]:
        """Where an instance is online; else the next look tries again."""
        name = stored.row.agent_name
        agent, online, blocks = await asyncio.gather(
            self._directory.agent_now(name),
            self._directory.online_now(name, account.at),
            self._evidences.blocks(),
        )
        if agent is None or not online or blocks.blocks(agent_subject(name), account.at):
            return stored
        claim = self._randomness(8).hex()
        after = await self._written(stored, dispatched(stored.row, account.at, claim))
        version = dispatch_version(agent.row, online)
        await self._trail.record(
            account.event(
                "session.dispatched",
                reason=why,
                **of(after.row),
                routing_version=version,
            )
        )
        secret = routing_secret(self._settings.secret, name, version)
        await self._rooms.dispatch_anew(Dispatch(after.row.room_name, name, secret))
        log.info("an agent is dispatched again", extra={"reason": why})
        return after

    async def _session_of(self, room_name: str) -> Stored[Session] | None:
        session_id = session_id_in(self._settings.installation, room_name)
        return await find(self._sessions, session_id) if session_id else None

    async def _update(self, stored: Stored[Session], change: "partial[Session]") -> Stored[Session]:
        """What is told is added to the row, whoever else changes it in the same moment."""
        for _ in range(_ATTEMPTS):
            try:
                return await self._written(stored, change(stored.row))
            except Changed:
                stored = await self._again(stored)
        raise EditedMeanwhile(reason="session_changed_meanwhile")

    async def _written(self, stored: Stored[Session], session: Session) -> Stored[Session]:
        if session == stored.row:
            return stored
        return Stored(session, await self._sessions.replace(session, stored.etag))

    async def _again(self, stored: Stored[Session]) -> Stored[Session]:
        """As it stands now; a row that is gone counts as it was when it went."""
        found = await self._sessions.get(stored.row.partition, stored.row.key)
        if found is None:
            raise EditedMeanwhile(reason="session_abandoned_meanwhile")
        return found
