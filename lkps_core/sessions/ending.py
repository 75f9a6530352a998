"""Reading a session, and ending one: by its starter, its agent's owners or an admin."""

import asyncio

from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent
from lkps_core.agents.names import agent_name_in
from lkps_core.call import Call
from lkps_core.errors import SessionNotFound
from lkps_core.identity.permissions import MANAGE_AGENTS
from lkps_core.ports import Rows, Stored
from lkps_core.sessions.access import Standing, standing
from lkps_core.sessions.closing import Closing
from lkps_core.sessions.model import Cause, Session
from lkps_core.sessions.presence import Presence
from lkps_core.sessions.watching import Watching
from lkps_core.wire.sessions import AgentStatus, SessionAnswer

_CAUSES: dict[Standing, Cause] = {
    "starter": "ended_by_starter",
    "owner": "ended_by_owner",
    "admin": "ended_by_admin",
}


class Ending:
    def __init__(
        self,
        directory: Directory,
        sessions: Rows[Session],
        presence: Presence,
        watching: Watching,
        closing: Closing,
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._presence = presence
        self._watching = watching
        self._closing = closing

    async def show(self, call: Call, session_id: str) -> SessionAnswer:
        """The session as its room shows it now; SessionNotFound for whoever may not know."""
        stored, _ = await self._visible(call, session_id)
        session = await self._watching.look(stored, call.operation)
        return _answer(session, await self._presence.of(session))

    async def end(self, call: Call, session_id: str) -> SessionAnswer:
        """End the room for everyone in it. Ending an ended session changes nothing."""
        stored, as_what = await self._visible(call, session_id)
        session = await self._closing.close(call, stored, _CAUSES[as_what], as_what)
        return _answer(session, await self._presence.of(session))

    async def _managed(self, call: Call, name: str) -> Agent | None:
        """The agent, where it matters whether the caller owns it: always read, or never."""
        if not call.caller.may(MANAGE_AGENTS):
            return None
        stored = await self._directory.agent_now(name)
        return stored.row if stored else None

    async def _visible(self, call: Call, session_id: str) -> tuple[Stored[Session], Standing]:
        name = agent_name_in(session_id)
        if name is None:
            raise SessionNotFound(reason="not_an_id")
        agent, stored = await asyncio.gather(
            self._managed(call, name), self._sessions.get(name, session_id)
        )
        if stored is None:
            raise SessionNotFound(reason="unknown")
        as_what = standing(call.caller, stored.row.starter, stored.row.azp, agent)
        if as_what is None:
            raise SessionNotFound(reason="not_visible")
        return stored, as_what


def _answer(session: Session, agent_status: AgentStatus) -> SessionAnswer:
    told = (one.outcome for one in session.jobs)
    lost = [outcome for outcome in told if outcome != "accepted" and outcome != "joined"]
    return SessionAnswer(
        session_id=session.id,
        agent_name=session.agent_name,
        room_name=session.room_name,
        participant_identity=session.participant_identity,
        state=session.phase,
        agent_status=agent_status,
        agent_dispatches=session.dispatches,
        agent_outcome=lost[-1] if lost else None,
        created_at=session.created_at,
        joined_at=session.joined_at,
        ends_at=session.ends_at,
        ended_at=session.ended_at,
        cause=session.cause,
    )
