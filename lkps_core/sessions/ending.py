"""Reading a session, and ending one: by its starter, its agent's owners or an admin."""

import asyncio
from dataclasses import replace

from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent
from lkps_core.agents.names import agent_name_in
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import EditedMeanwhile, SessionNotFound
from lkps_core.identity.permissions import MANAGE_AGENTS
from lkps_core.policy.usage import UsageBook
from lkps_core.ports import Changed, Rooms, Rows, Stored
from lkps_core.sessions.access import Standing, standing
from lkps_core.sessions.model import Cause, Session
from lkps_core.sessions.presence import Presence
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
        rooms: Rooms,
        trail: Trail,
        presence: Presence,
        usage: UsageBook,
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._rooms = rooms
        self._trail = trail
        self._presence = presence
        self._usage = usage

    async def show(self, call: Call, session_id: str) -> SessionAnswer:
        """The session and whether its agent is there; SessionNotFound for whoever may not know."""
        stored, _ = await self._visible(call, session_id)
        if stored.row.state != "open":
            return _answer(stored.row, "left")
        return _answer(stored.row, await self._presence.of(stored.row))

    async def end(self, call: Call, session_id: str) -> SessionAnswer:
        """End the room for everyone in it. Ending an ended session changes nothing.

        The row says `ending` before the room goes, so that a repeated start cannot bring it back,
        and `ended` only once the room is gone and the trail says so: whatever fails in between,
        ending again goes on from there.
        """
        stored, as_what = await self._visible(call, session_id)
        ended = await self._end(call, stored, _CAUSES[as_what], as_what)
        return _answer(ended, "left")

    async def close_room(self, session: Session) -> None:
        """Take everyone out of the session's room; nothing is written of it yet."""
        await self._rooms.delete(session.room_name)

    async def end_blocked(self, call: Call, session: Session) -> None:
        """Write of a session that a block concerns that it has ended; its room goes once more."""
        stored = await self._sessions.get(session.partition, session.key)
        if stored is not None and stored.row.state in ("open", "ending"):
            await self._end(call, stored, "blocked", "block")

    async def _end(self, call: Call, stored: Stored[Session], cause: Cause, rule: str) -> Session:
        if stored.row.state == "ended":
            return stored.row
        if stored.row.state == "open":
            ending = replace(stored.row, state="ending", ended_at=call.at, cause=cause)
            stored = await self._write(ending, stored.etag)
        await self._rooms.delete(stored.row.room_name)
        await self._trail.record(
            call.event(
                "session.ended",
                reason=stored.row.cause,
                agent_name=stored.row.agent_name,
                session_id=stored.row.id,
                room_name=stored.row.room_name,
                rule=rule,
            )
        )
        ended = await self._write(replace(stored.row, state="ended"), stored.etag)
        self._usage.is_over(ended.row)
        return ended.row

    async def _write(self, session: Session, etag: str) -> Stored[Session]:
        try:
            return Stored(session, await self._sessions.replace(session, etag))
        except Changed as error:
            raise EditedMeanwhile(reason="session_changed_meanwhile") from error

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
    return SessionAnswer(
        session_id=session.id,
        agent_name=session.agent_name,
        room_name=session.room_name,
        participant_identity=session.participant_identity,
        state="open" if session.state == "open" else "ended",
        agent_status=agent_status,
        created_at=session.created_at,
        ends_at=session.ends_at,
        ended_at=session.ended_at,
        cause=session.cause,
    )
