"""Inviting somebody else into a session: a text for one caller, once, for some minutes."""

import base64
from dataclasses import replace
from datetime import timedelta

from lkps_core.agents.names import agent_name_in
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import EditedMeanwhile, SessionEnded, SessionNotFound, TooManyInvitations
from lkps_core.ports import Changed, Randomness, Rows, Stored
from lkps_core.reply import Reply
from lkps_core.sessions.access import is_starter
from lkps_core.sessions.events import invited
from lkps_core.sessions.guests import MOST_INVITATIONS, Invitation
from lkps_core.sessions.model import Session
from lkps_core.sessions.seating import sha256_of
from lkps_core.wire.sessions import Invited, InviteToSession

_ATTEMPTS = 3
_UNGUESSABLE = 32


class Inviting:
    def __init__(self, sessions: Rows[Session], trail: Trail, randomness: Randomness) -> None:
        self._sessions = sessions
        self._trail = trail
        self._randomness = randomness

    async def invite(self, call: Call, session_id: str, request: InviteToSession) -> Reply:
        """For the starter alone; SessionNotFound for everybody else.

        The invitation leaves once its SHA-256 is on the trail. Raises SessionEnded,
        TooManyInvitations, EditedMeanwhile, StorageUnavailable and AuditUnavailable.
        """
        text = base64.urlsafe_b64encode(self._randomness(_UNGUESSABLE)).decode().rstrip("=")
        invitation = Invitation(sha256_of(text), call.at + timedelta(seconds=request.seconds))
        session = await self._written(call, session_id, invitation)
        await self._trail.record(invited(call, session, invitation))
        return Reply(Invited(invitation=text, expires_at=invitation.expires_at), is_new=True)

    async def _written(self, call: Call, session_id: str, invitation: Invitation) -> Session:
        for _ in range(_ATTEMPTS):
            stored = await self._own(call, session_id)
            session = _with(stored.row, invitation, call)
            try:
                await self._sessions.replace(session, stored.etag)
            except Changed:
                continue
            return session
        raise EditedMeanwhile(reason="session_changed_meanwhile")

    async def _own(self, call: Call, session_id: str) -> Stored[Session]:
        name = agent_name_in(session_id)
        if name is None:
            raise SessionNotFound(reason="not_an_id")
        stored = await self._sessions.get(name, session_id)
        if stored is None:
            raise SessionNotFound(reason="unknown")
        if not is_starter(call.caller, stored.row.starter, stored.row.azp):
            raise SessionNotFound(reason="not_starter")
        return stored


def _with(session: Session, invitation: Invitation, call: Call) -> Session:
    if session.state != "open" or call.at >= session.ends_at:
        raise SessionEnded
    usable = tuple(one for one in session.invitations if call.at < one.expires_at)
    if len(usable) >= MOST_INVITATIONS:
        raise TooManyInvitations(f"{MOST_INVITATIONS} are unused; each expires by itself.")
    return replace(session, invitations=(*usable, invitation))
