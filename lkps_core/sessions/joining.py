"""Joining a session that is there: its starter once more, or somebody whom the starter invited."""

from functools import partial

from lkps_core.agents.names import agent_name_in
from lkps_core.call import Call
from lkps_core.errors import StorageUnavailable
from lkps_core.policy.admitting import Admitting
from lkps_core.policy.authorizing import Asked, Authorizing
from lkps_core.ports import Rows, Stored
from lkps_core.sessions.issuing import Issuing
from lkps_core.sessions.model import Session
from lkps_core.sessions.presence import Presence
from lkps_core.sessions.seating import seat_of, stranger
from lkps_core.sessions.telling import token_answer
from lkps_core.sessions.watching import Watching
from lkps_core.settings import Settings
from lkps_core.wire.sessions import JoinSession, SessionJoined


class Joining:
    def __init__(
        self,
        settings: Settings,
        authorizing: Authorizing,
        admitting: Admitting,
        sessions: Rows[Session],
        issuing: Issuing,
        presence: Presence,
        watching: Watching,
    ) -> None:
        self._settings = settings
        self._authorizing = authorizing
        self._admitting = admitting
        self._sessions = sessions
        self._issuing = issuing
        self._presence = presence
        self._watching = watching

    async def join(self, call: Call, session_id: str, request: JoinSession) -> SessionJoined:
        """A token of the caller's own for the session, decided as a start is.

        Raises RateLimited; what `seat_of` refuses with; what policy does (`authorizing.refusal`);
        LiveKitUnavailable, StorageUnavailable, AuditUnavailable, EditedMeanwhile.
        """
        self._admitting.admit(call.caller)
        take = partial(seat_of, call, request)
        stored = await self._stored(session_id, request)
        take(stored.row)
        session = await self._watching.look(stored, call.operation)
        take(session)
        authorized = await self._authorizing.authorize(
            Asked(call.caller, session.agent_name, call.at, session.id)
        )

        async def read() -> Stored[Session]:
            if self._authorizing.is_too_old(authorized):
                raise StorageUnavailable(reason="the decision became too old")
            return await self._stored(session_id, request)

        issued = await self._issuing.issue(call, request, authorized.decision, read, take)
        return token_answer(
            SessionJoined,
            self._settings.livekit_url,
            issued.session,
            issued.identity,
            issued.token,
            await self._presence.of(issued.session),
        )

    async def _stored(self, session_id: str, request: JoinSession) -> Stored[Session]:
        name = agent_name_in(session_id)
        if name is None:
            raise stranger(request, "not_an_id")
        stored = await self._sessions.get(name, session_id)
        if stored is None:
            raise stranger(request, "unknown")
        return stored
