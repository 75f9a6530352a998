"""Giving out one more token of a session that is there: its row and the trail say so before."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import EditedMeanwhile
from lkps_core.policy.decision import Decision
from lkps_core.ports import Changed, Rows, Stored
from lkps_core.sessions.events import authorized
from lkps_core.sessions.guests import Invitation
from lkps_core.sessions.model import Session
from lkps_core.sessions.planning import Planning
from lkps_core.tokens import IssuedToken
from lkps_core.wire.sessions import JoinSession, StartSession

_ATTEMPTS = 3
"""For a row that others change in the same moment."""


@dataclass(frozen=True, slots=True)
class Seat:
    """As whom a caller joins, and why; `session` has it written in, and not the invitation used."""

    session: Session
    identity: str
    reason: Literal["repeat", "rejoin", "invited"]
    used: Invitation | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    session: Session
    identity: str
    token: IssuedToken


class Issuing:
    def __init__(self, planning: Planning, sessions: Rows[Session], trail: Trail) -> None:
        self._planning = planning
        self._sessions = sessions
        self._trail = trail

    async def issue(
        self,
        call: Call,
        request: StartSession | JoinSession,
        decision: Decision,
        read: Callable[[], Awaitable[Stored[Session]]],
        take: Callable[[Session], Seat],
    ) -> Issued:
        """A token for the seat taken in the row that is read; both refuse what they must.

        When somebody else changed the row meanwhile, both are asked again. Raises EditedMeanwhile
        when others kept changing it; AuditUnavailable, and then no token leaves.
        """
        for _ in range(_ATTEMPTS):
            stored = await read()
            seat = take(stored.row)
            session, identity = seat.session, seat.identity
            token = self._planning.token(call, request, session, identity)
            session = replace(session, issued=session.issued + 1, token_until=token.expires_at)
            try:
                await self._sessions.replace(session, stored.etag)
            except Changed:
                continue
            await self._trail.record(
                authorized(
                    call, session, identity, token, decision, reason=seat.reason, used=seat.used
                )
            )
            return Issued(session, identity, token)
        raise EditedMeanwhile(reason="session_changed_meanwhile")
