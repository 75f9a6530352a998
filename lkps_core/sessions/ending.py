"""Reading a session, and ending one: by its starter, its agent's owners or an admin."""

import asyncio

from lkps_core.agents.directory import Directory
from lkps_core.agents.managing import manages, possibly_owned
from lkps_core.agents.model import Agent
from lkps_core.agents.names import agent_name_in
from lkps_core.call import Call
from lkps_core.errors import EditedMeanwhile, SessionNotFound
from lkps_core.ports import Rows, Stored
from lkps_core.sessions.access import Standing, as_guest, standing
from lkps_core.sessions.closing import Closing
from lkps_core.sessions.guests import Guest
from lkps_core.sessions.model import Cause, Session
from lkps_core.sessions.presence import Presence
from lkps_core.sessions.telling import session_answer
from lkps_core.sessions.watching import Watching
from lkps_core.wire.sessions import SessionAnswer

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
        """The session as its room shows it now; SessionNotFound for whoever may not know.

        Its guests may read it, and not end it.
        """
        agent, stored = await self._found(call, session_id)
        guest = as_guest(call.caller, stored.row)
        if guest is None:
            _standing(call, agent, stored.row)
        try:
            session = await self._watching.look(stored, call.operation)
        except EditedMeanwhile as error:  # a start that failed took it back just now
            raise SessionNotFound(reason="abandoned_meanwhile") from error
        return await self._answer(call, agent, session, guest)

    async def end(self, call: Call, session_id: str) -> SessionAnswer:
        """End the room for everyone in it. Ending an ended session changes nothing."""
        agent, stored = await self._found(call, session_id)
        as_what = _standing(call, agent, stored.row)
        session = await self._closing.close_by_will(call, stored, _CAUSES[as_what], as_what)
        return await self._answer(call, agent, session, None)

    async def _found(self, call: Call, session_id: str) -> tuple[Agent | None, Stored[Session]]:
        name = agent_name_in(session_id)
        if name is None:
            raise SessionNotFound(reason="not_an_id")
        agent, stored = await asyncio.gather(
            possibly_owned(self._directory, call, name), self._sessions.get(name, session_id)
        )
        if stored is None:
            raise SessionNotFound(reason="unknown")
        return agent, stored

    async def _answer(
        self, call: Call, agent: Agent | None, session: Session, guest: Guest | None
    ) -> SessionAnswer:
        return session_answer(
            session,
            guest.identity if guest else session.participant_identity,
            await self._presence.of(session),
            with_jobs=manages(call, agent),
        )


def _standing(call: Call, agent: Agent | None, session: Session) -> Standing:
    as_what = standing(call.caller, session.starter, session.azp, agent)
    if as_what is None:
        raise SessionNotFound(reason="not_visible")
    return as_what
