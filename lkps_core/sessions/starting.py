"""Starting a session: one decision, then room, row and audit row in one round trip."""

import asyncio
import logging
from dataclasses import replace
from functools import partial

from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import (
    AgentOffline,
    EditedMeanwhile,
    KeyReused,
    Refusal,
    SessionEnded,
    StorageUnavailable,
)
from lkps_core.policy.admitting import Admitting
from lkps_core.policy.authorizing import Asked, Authorized, Authorizing
from lkps_core.policy.usage import UsageBook
from lkps_core.ports import AlreadyThere, Changed, Rooms, Rows, Stored
from lkps_core.sessions.events import abandoned as abandoned_event
from lkps_core.sessions.identities import refuse_chosen_by_user
from lkps_core.sessions.issuing import Issuing, Seat
from lkps_core.sessions.model import Session
from lkps_core.sessions.planning import Plan, Planning
from lkps_core.sessions.presence import Presence
from lkps_core.sessions.rerouting import Way, see_to_one_agent
from lkps_core.sessions.telling import token_answer
from lkps_core.sessions.watching import Watching
from lkps_core.settings import Settings
from lkps_core.undoing import Undoing
from lkps_core.wire.sessions import AgentStatus, SessionStarted, StartSession

log = logging.getLogger(__name__)


class Starting:
    def __init__(
        self,
        settings: Settings,
        planning: Planning,
        authorizing: Authorizing,
        admitting: Admitting,
        usage: UsageBook,
        sessions: Rows[Session],
        rooms: Rooms,
        trail: Trail,
        issuing: Issuing,
        presence: Presence,
        watching: Watching,
        undoing: Undoing,
    ) -> None:
        self._settings = settings
        self._planning = planning
        self._authorizing = authorizing
        self._admitting = admitting
        self._usage = usage
        self._sessions = sessions
        self._rooms = rooms
        self._trail = trail
        self._issuing = issuing
        self._presence = presence
        self._watching = watching
        self._undoing = undoing

    async def start(self, call: Call, request: StartSession, key: str | None) -> SessionStarted:
        """Make the session and a token that joins it; with a `key`, the same session every time.

        Raises RateLimited, what policy refuses with (`authorizing.refusal`), AgentOffline (where an
        agent is required), KeyReused and SessionEnded; LiveKitUnavailable, StorageUnavailable or
        AuditUnavailable with every effect that stood undone.
        """
        refuse_chosen_by_user(call.caller, request.participant_identity)
        self._admitting.admit(call.caller)
        session_id = self._planning.derived_id(call, request.agent, key) if key else None
        authorized = await self._authorizing.authorize(
            Asked(call.caller, request.agent, call.at, session_id)
        )
        if not authorized.online and self._settings.require_agent:
            raise AgentOffline
        plan = self._planning.plan(call, request, authorized, session_id)
        if not await self._counted(call, plan, authorized):
            plan = await self._join_existing(call, request, plan, authorized)
        self._reroute_later(plan, authorized)
        if authorized.online:
            self._watching.look_later(plan.session, call.operation)
        status: AgentStatus = "dispatched" if authorized.online else "offline"
        if authorized.online and request.wait_for_agent:
            status = await self._awaited(plan.session, request.wait_for_agent)
        session = plan.session
        return token_answer(
            SessionStarted,
            self._settings.livekit_url,
            session,
            session.participant_identity,
            plan.token,
            status,
        )

    async def _counted(self, call: Call, plan: Plan, authorized: Authorized) -> bool:
        """Carry the plan out; where a limit counts the session, from before its first effect."""
        if not authorized.is_counted:
            return await self._carry_out(call, plan, authorized)
        self._usage.begin(plan.session)
        try:
            is_new = await self._carry_out(call, plan, authorized)
        except BaseException:
            self._usage.is_over(plan.session)
            raise
        self._usage.stands(plan.session)
        return is_new

    def _reroute_later(self, plan: Plan, authorized: Authorized) -> None:
        """While a rotation moves instances over, the one that is free may listen elsewhere."""
        ways = self._planning.ways_elsewhere(plan, authorized)
        if not ways:
            return
        session = plan.session

        async def is_open(way: Way) -> bool:
            return await self._authorizing.is_reached_by(
                session.agent_name, way.routing_version, session.created_at
            )

        self._undoing.later(partial(see_to_one_agent, self._rooms, ways, is_open), after=0)

    async def _create_room(self, plan: Plan, authorized: Authorized) -> None:
        """Looked at again in the last moment: a busy process may have taken long to come here."""
        if self._authorizing.is_too_old(authorized):
            raise StorageUnavailable(reason="the decision became too old")
        await self._rooms.create(plan.room)

    async def _carry_out(self, call: Call, plan: Plan, authorized: Authorized) -> bool:
        """All three effects at the same time; False when the session's row was there before."""
        recorded, added, created = await asyncio.gather(
            self._trail.record(plan.event),
            self._sessions.add(plan.session),
            self._create_room(plan, authorized),
            return_exceptions=True,
        )
        existing = isinstance(added, AlreadyThere)
        failed = [
            one
            for one in (recorded, added, created)
            if isinstance(one, BaseException) and not isinstance(one, AlreadyThere)
        ]
        if failed:
            await self._undoing.undo(lambda: self._abandon(call, plan))
            if isinstance(created, Refusal):
                self._undoing.later(lambda: self._end_late_room(plan.session))
            raise failed[0]
        return not existing

    async def _abandon(self, call: Call, plan: Plan) -> None:
        """Take back the row if it is still as this start wrote it, and with it the room.

        Another start of the same session that joined it has given out a token: then both stay.
        While the room goes, a row says `abandoned`, lest a start in that moment gets a room that
        goes. Raises EditedMeanwhile, to be tried again, when something was told of its room.
        """
        own, abandoned = plan.session, replace(plan.session, state="abandoned")
        stored = await self._sessions.get(own.partition, own.key)
        try:
            if stored is None:
                stored = Stored(abandoned, await self._sessions.add(abandoned))
            elif _is_still(stored.row, own):
                abandoned = replace(stored.row, state="abandoned")
                stored = Stored(abandoned, await self._sessions.replace(abandoned, stored.etag))
        except (AlreadyThere, Changed) as error:
            stored = await self._sessions.get(own.partition, own.key)
            if stored is not None and stored.row.state == "open" and _is_still(stored.row, own):
                raise EditedMeanwhile(reason="session_changed_meanwhile") from error
        if stored is not None and stored.row.state == "open":
            return
        await self._rooms.delete(own.room_name)
        if stored is not None and stored.row.state == "abandoned":
            await self._forget(stored)
        self._undoing.later(partial(self._keep_room_of_another, plan))
        await self._trail.record(abandoned_event(call, own, token=plan.token))

    async def _keep_room_of_another(self, plan: Plan) -> None:
        """A start that found the room there just before it went, and added its row just after."""
        stored = await self._sessions.get(plan.session.partition, plan.session.key)
        if stored is not None and stored.row.state == "open":
            await self._rooms.create(plan.room)

    async def _end_late_room(self, session: Session) -> None:
        """A LiveKit that hung may make the room after it was taken back."""
        stored = await self._sessions.get(session.partition, session.key)
        if stored is None or stored.row.state != "open":
            await self._rooms.delete(session.room_name)

    async def _forget(self, stored: Stored[Session]) -> None:
        try:
            await self._sessions.remove(stored.row, stored.etag)
        except Changed:
            return

    async def _join_existing(
        self, call: Call, request: StartSession, plan: Plan, authorized: Authorized
    ) -> Plan:
        """A repeat: give out a token of its own for the session that is already there."""

        async def read() -> Stored[Session]:
            stored = await self._sessions.get(plan.session.partition, plan.session.key)
            if stored is None:  # taken back in this moment: the caller's next repeat starts it anew
                await self._undoing.undo(lambda: self._abandon(call, plan))
                raise EditedMeanwhile(reason="session_abandoned_meanwhile")
            await self._refuse_unlike(call, plan, stored)
            return stored

        def take(session: Session) -> Seat:
            return Seat(session, session.participant_identity, "repeat")

        issued = await self._issuing.issue(call, request, authorized.decision, read, take)
        return replace(plan, session=issued.session, token=issued.token)

    async def _refuse_unlike(self, call: Call, plan: Plan, stored: Stored[Session]) -> None:
        is_over = stored.row.state != "open" or call.at >= stored.row.ends_at
        if is_over:  # this start has made its room again
            self._usage.is_over(stored.row)
            await self._undoing.undo(lambda: self._rooms.delete(stored.row.room_name))
        if stored.row.state == "abandoned":
            raise EditedMeanwhile(reason="session_abandoned_meanwhile")
        if stored.row.body_sha256 != plan.session.body_sha256:
            raise KeyReused
        if is_over:
            raise SessionEnded

    async def _awaited(self, session: Session, seconds: int) -> AgentStatus:
        """The session stands: that its agent cannot be seen just now is no reason to refuse it."""
        try:
            return await self._presence.wait(session, seconds)
        except Refusal as error:
            log.warning("the agent could not be looked for", extra={"reason": error.reason})
            return "dispatched"


def _is_still(there: Session, own: Session) -> bool:
    """Whether nobody but this start was given a token for the session."""
    return (there.attempt, there.issued) == (own.attempt, own.issued)
