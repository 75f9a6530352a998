"""Starting a session: one decision, then room, row and audit row in one round trip."""

import asyncio
import hashlib
import json
import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent
from lkps_core.agents.names import id_of
from lkps_core.agents.routing import routing_secret
from lkps_core.audit.event import Event
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import (
    AgentNotCallable,
    AgentOffline,
    BodyInvalid,
    EditedMeanwhile,
    KeyReused,
    Refusal,
    SessionEnded,
)
from lkps_core.ports import AlreadyThere, Changed, Randomness, Room, Rooms, Rows, Stored
from lkps_core.sessions.model import Session
from lkps_core.sessions.naming import (
    application_identity,
    derived_session_id,
    room_name,
    user_identity,
)
from lkps_core.sessions.presence import Presence
from lkps_core.settings import Settings
from lkps_core.tokens import IssuedToken, TokenMint
from lkps_core.undoing import Undoing
from lkps_core.wire.sessions import AgentStatus, SessionStarted, StartSession

log = logging.getLogger(__name__)

EMPTY_MARGIN = 60
"""Seconds by which a room outlives the token that joins it: LiveKit's leeway for `exp`."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything a start is about to do, decided and in memory."""

    session: Session
    room: Room
    token: IssuedToken
    event: Event


class Starting:
    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        sessions: Rows[Session],
        rooms: Rooms,
        trail: Trail,
        mint: TokenMint,
        presence: Presence,
        undoing: Undoing,
        randomness: Randomness,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._sessions = sessions
        self._rooms = rooms
        self._trail = trail
        self._mint = mint
        self._presence = presence
        self._undoing = undoing
        self._randomness = randomness

    async def start(self, call: Call, request: StartSession, key: str | None) -> SessionStarted:
        """Make the session and a token that joins it; with a `key`, the same session every time.

        Raises AgentNotCallable, AgentOffline (where an agent is required), KeyReused and
        SessionEnded; LiveKitUnavailable, StorageUnavailable or AuditUnavailable with every effect
        that stood undone.
        """
        _refuse_named_user(call, request)
        agent, online = await asyncio.gather(
            self._callable_agent(request.agent), self._directory.online(request.agent, call.at)
        )
        if not online and self._settings.require_agent:
            raise AgentOffline
        plan = self._plan(call, request, agent, self._session_id(call, agent, key))
        if not await self._carry_out(call, plan):
            plan = await self._join_existing(call, request, plan)
        status: AgentStatus = "dispatched" if online else "offline"
        if online and request.wait_for_agent:
            status = await self._awaited(plan.session, request.wait_for_agent)
        return self._answer(plan, status)

    async def _callable_agent(self, name: str) -> Agent:
        agent = await self._directory.agent(name)
        if agent is None:
            raise AgentNotCallable(reason="agent_unknown")
        return agent

    def _session_id(self, call: Call, agent: Agent, key: str | None) -> str:
        if key is None:
            return id_of(agent.name, self._randomness(16))
        return derived_session_id(self._settings.secret, call.caller, agent.name, key)

    def _plan(self, call: Call, request: StartSession, agent: Agent, session_id: str) -> _Plan:
        session = Session(
            id=session_id,
            agent_name=agent.name,
            starter=call.caller.id,
            azp=call.caller.azp,
            room_name=room_name(self._settings.installation, session_id),
            participant_identity=_identity(call, request, session_id),
            body_sha256=_sha256(request),
            attempt=self._randomness(16).hex(),
            created_at=call.at,
            ends_at=call.at + timedelta(seconds=self._settings.session_max_seconds),
        )
        room = Room(
            name=session.room_name,
            empty_timeout=self._settings.participant_token_seconds + EMPTY_MARGIN,
            agent_name=agent.name,
            deployment=routing_secret(self._settings.secret, agent.name, agent.routing_version),
            agent_metadata=request.agent_metadata,
        )
        token = self._token(call, request, session)
        return _Plan(session, room, token, _authorized(call, session, token))

    def _token(self, call: Call, request: StartSession, session: Session) -> IssuedToken:
        caller = call.caller
        attributes = {
            **request.participant_attributes,
            "lkps.session_id": session.id,
            "lkps.client_app_id": caller.azp,
            "lkps.tenant_id": caller.tid,
            "lkps.ends_at": session.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if caller.kind == "user":
            attributes["lkps.user_oid"] = caller.oid
        return self._mint.participant_token(
            session.room_name,
            session.participant_identity,
            call.at,
            self._settings.participant_token_seconds,
            name=request.participant_name,
            metadata=request.participant_metadata,
            attributes=attributes,
        )

    async def _carry_out(self, call: Call, plan: _Plan) -> bool:
        """All three effects at the same time; False when the session's row was there before."""
        recorded, added, created = await asyncio.gather(
            self._trail.record(plan.event),
            self._sessions.add(plan.session),
            self._rooms.create(plan.room),
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
            raise failed[0]
        return not existing

    async def _abandon(self, call: Call, plan: _Plan) -> None:
        """Take back the row if it is still as this start wrote it, and with it the room.

        Another start of the same session that joined it has changed the row: then both stay. While
        the room goes, the row says `abandoned`, lest a start in that moment gets a room that goes.
        """
        own, abandoned = plan.session, replace(plan.session, state="abandoned")
        stored = await self._sessions.get(own.partition, own.key)
        if stored is not None and stored.row == own:
            try:
                stored = Stored(abandoned, await self._sessions.replace(abandoned, stored.etag))
            except Changed:
                stored = await self._sessions.get(own.partition, own.key)
        if stored is not None and stored.row.state == "open":
            return
        await self._rooms.delete(own.room_name)
        if stored is not None and stored.row == abandoned:
            await self._forget(stored)
        await self._trail.record(_abandoned(call, own, plan.token))

    async def _forget(self, stored: Stored[Session]) -> None:
        try:
            await self._sessions.remove(stored.row, stored.etag)
        except Changed:
            return

    async def _join_existing(self, call: Call, request: StartSession, plan: _Plan) -> _Plan:
        """A repeat: give out a token of its own for the session that is already there."""
        stored = await self._sessions.get(plan.session.partition, plan.session.key)
        if stored is None:  # taken back in this moment: the caller's next repeat starts it anew
            await self._undoing.undo(lambda: self._abandon(call, plan))
            raise EditedMeanwhile(reason="session_abandoned_meanwhile")
        await self._refuse_unlike(plan, stored)
        session = replace(stored.row, issued=stored.row.issued + 1)
        token = self._token(call, request, session)
        event = _authorized(call, session, token, reason="repeat")
        try:
            await asyncio.gather(
                self._sessions.replace(session, stored.etag), self._trail.record(event)
            )
        except Changed as error:
            raise EditedMeanwhile(reason="session_changed_meanwhile") from error
        return replace(plan, session=session, token=token, event=event)

    async def _refuse_unlike(self, plan: _Plan, stored: Stored[Session]) -> None:
        if stored.row.state != "open":  # this start has made its room again
            await self._undoing.undo(lambda: self._rooms.delete(stored.row.room_name))
        if stored.row.state == "abandoned":
            raise EditedMeanwhile(reason="session_abandoned_meanwhile")
        if stored.row.body_sha256 != plan.session.body_sha256:
            raise KeyReused
        if stored.row.state != "open":
            raise SessionEnded

    async def _awaited(self, session: Session, seconds: int) -> AgentStatus:
        """The session stands: that its agent cannot be seen just now is no reason to refuse it."""
        try:
            return await self._presence.wait(session, seconds)
        except Refusal as error:
            log.warning("the agent could not be looked for", extra={"reason": error.reason})
            return "dispatched"

    def _answer(self, plan: _Plan, status: AgentStatus) -> SessionStarted:
        return SessionStarted(
            participant_token=plan.token.text,
            server_url=self._settings.livekit_url,
            livekit_url=self._settings.livekit_url,
            room_name=plan.session.room_name,
            session_id=plan.session.id,
            participant_identity=plan.session.participant_identity,
            agent_status=status,
            expires_at=plan.token.expires_at,
        )


def _sha256(request: StartSession) -> str:
    """The same for bodies that say the same, in whichever order."""
    return hashlib.sha256(json.dumps(request.model_dump(), sort_keys=True).encode()).hexdigest()


def _refuse_named_user(call: Call, request: StartSession) -> None:
    if call.caller.kind == "user" and request.participant_identity is not None:
        raise BodyInvalid(
            [
                {
                    "pointer": "/participant_identity",
                    "code": "identity_derived",
                    "detail": "A user's participant identity is derived: leave it out",
                }
            ]
        )


def _identity(call: Call, request: StartSession, session_id: str) -> str:
    if call.caller.kind == "user":
        return user_identity(call.caller)
    return request.participant_identity or application_identity(session_id)


def _authorized(
    call: Call, session: Session, token: IssuedToken, reason: str | None = None
) -> Event:
    return call.event(
        "session.authorized",
        reason=reason,
        agent_name=session.agent_name,
        session_id=session.id,
        room_name=session.room_name,
        participant_identity=session.participant_identity,
        token_sha256=token.sha256,
        token_expires_at=token.expires_at,
        rule="open",
    )


def _abandoned(call: Call, session: Session, token: IssuedToken) -> Event:
    return call.event(
        "session.abandoned",
        "failed",
        reason="effect_failed",
        agent_name=session.agent_name,
        session_id=session.id,
        room_name=session.room_name,
        token_sha256=token.sha256,
    )
