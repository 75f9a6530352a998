"""Everything a start is about to do, decided and in memory before anything is done."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from lkps_core.agents.names import id_of
from lkps_core.agents.routing import (
    dispatch_version,
    offered_version,
    other_version,
    routing_secret,
)
from lkps_core.audit.event import Event
from lkps_core.call import Call
from lkps_core.policy.authorizing import Authorized
from lkps_core.policy.decision import Decision
from lkps_core.ports import Randomness, Room
from lkps_core.sessions.events import authorized as authorized_event
from lkps_core.sessions.model import Session
from lkps_core.sessions.naming import (
    application_identity,
    derived_session_id,
    room_name,
    user_identity,
)
from lkps_core.sessions.rerouting import Way
from lkps_core.settings import Settings
from lkps_core.tokens import IssuedToken, TokenMint
from lkps_core.wire.sessions import JoinSession, StartSession

REROUTES = 3
"""Times that a room's job is offered to either of an agent's routing secrets."""

EMPTY_MARGIN = 60
"""Seconds by which a room outlives the token that joins it: LiveKit's leeway for `exp`."""


@dataclass(frozen=True, slots=True)
class Plan:
    session: Session
    room: Room
    token: IssuedToken
    event: Event
    routing_version: int


class Planning:
    def __init__(self, settings: Settings, mint: TokenMint, randomness: Randomness) -> None:
        self._settings = settings
        self._mint = mint
        self._randomness = randomness

    def derived_id(self, call: Call, agent_name: str, key: str) -> str:
        """The session that every start with this key plans."""
        return derived_session_id(self._settings.secret, call.caller, agent_name, key)

    def plan(
        self, call: Call, request: StartSession, authorized: Authorized, session_id: str | None
    ) -> Plan:
        """The session of that id; without one, a new session."""
        agent, decision = authorized.agent, authorized.decision
        session_id = session_id or id_of(agent.name, self._randomness(16))
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
            ends_at=call.at + timedelta(seconds=self._longest(decision)),
            token_until=call.at + timedelta(seconds=self._settings.participant_token_seconds),
            grant_id=decision.grant.id if decision.grant else None,
        )
        version = dispatch_version(agent, authorized.online)
        room = Room(
            name=session.room_name,
            empty_timeout=self._settings.participant_token_seconds + EMPTY_MARGIN,
            agent_name=agent.name,
            deployment=routing_secret(self._settings.secret, agent.name, version),
            agent_metadata=request.agent_metadata,
        )
        identity = session.participant_identity
        token = self.token(call, request, session, identity)
        event = authorized_event(call, session, identity, token, decision)
        return Plan(session, room, token, event, version)

    def ways_elsewhere(self, plan: Plan, authorized: Authorized) -> Sequence[Way]:
        """The room as it is dispatched again while nobody takes its job, in this order.

        During a planned rotation, the free instance may listen with the other routing secret, or
        be on its way to it. Nothing, before any is offered the new one, or once all have said that
        they have moved.
        """
        agent = authorized.agent
        version = other_version(agent, plan.routing_version)
        is_offered = offered_version(agent, plan.session.created_at) == agent.routing_version
        moved = all(one.routing_version == agent.routing_version for one in authorized.online)
        if version is None or not is_offered or moved:
            return ()
        secret = routing_secret(self._settings.secret, agent.name, version)
        elsewhere = Way(version, replace(plan.room, deployment=secret))
        return (elsewhere, Way(plan.routing_version, plan.room)) * REROUTES

    def token(
        self, call: Call, request: StartSession | JoinSession, session: Session, identity: str
    ) -> IssuedToken:
        """A token that joins the session as that participant, with the caller written into it."""
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
            identity,
            call.at,
            self._settings.participant_token_seconds,
            name=request.participant_name,
            metadata=request.participant_metadata,
            attributes=attributes,
        )

    def _longest(self, decision: Decision) -> int:
        most = self._settings.session_max_seconds
        return most if decision.longest_seconds is None else min(most, decision.longest_seconds)


def _sha256(request: StartSession) -> str:
    """The same for bodies that say the same, in whichever order; how long one waits is no part."""
    said = request.model_dump(exclude={"wait_for_agent"})
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _identity(call: Call, request: StartSession, session_id: str) -> str:
    if call.caller.kind == "user":
        return user_identity(call.caller.id)
    return request.participant_identity or application_identity(session_id)
