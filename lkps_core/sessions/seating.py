"""Who may join a session that is there, and as whom: its starter, its guests, who is invited."""

import hashlib
from dataclasses import replace

from lkps_core.call import Call
from lkps_core.errors import (
    InvitationInvalid,
    Refusal,
    SessionEnded,
    SessionNotFound,
    TooManyGuests,
)
from lkps_core.sessions.access import as_guest, is_starter
from lkps_core.sessions.guests import MOST_GUESTS, Guest, Invitation
from lkps_core.sessions.identities import refuse_chosen_by_user, refused
from lkps_core.sessions.issuing import Seat
from lkps_core.sessions.model import Session
from lkps_core.sessions.naming import invited_application_identity, user_identity
from lkps_core.wire.sessions import JoinSession


def seat_of(call: Call, request: JoinSession, session: Session) -> Seat:
    """Raise what the caller is to be told, or let it join; a new guest uses its invitation.

    Whoever is in the session needs none: one that is sent all the same is not looked at, so that a
    request whose answer was lost can be sent again.
    """
    if is_starter(call.caller, session.starter, session.azp):
        return _again(request, Seat(session, session.participant_identity, "rejoin"))
    guest = as_guest(call.caller, session)
    if guest is not None:
        return _again(request, Seat(session, guest.identity, "invited"))
    return _invited(call, request, session, _invitation(call, request, session))


def stranger(request: JoinSession, reason: str) -> Refusal:
    """What is told to whom the session is none: whether there is one it does not say."""
    kind = SessionNotFound if request.invitation is None else InvitationInvalid
    return kind(reason=reason)


def sha256_of(invitation: str) -> str:
    return hashlib.sha256(invitation.encode()).hexdigest()


def _again(request: JoinSession, seat: Seat) -> Seat:
    _refuse_closed(seat.session)
    if request.participant_identity not in (None, seat.identity):
        raise refused("identity_fixed", "Yours was fixed with the first token: leave it out")
    return seat


def _invitation(call: Call, request: JoinSession, session: Session) -> Invitation:
    if request.invitation is None:
        raise stranger(request, "not_visible")
    sha256 = sha256_of(request.invitation)
    found = next((one for one in session.invitations if one.sha256 == sha256), None)
    if found is None:
        raise stranger(request, "unknown_or_used")
    if call.at >= found.expires_at:
        raise stranger(request, "expired")
    return found


def _invited(call: Call, request: JoinSession, session: Session, used: Invitation) -> Seat:
    _refuse_closed(session)
    if len(session.guests) >= MOST_GUESTS:
        raise TooManyGuests(f"A session has at most {MOST_GUESTS} guests over its whole life.")
    guest = Guest(call.caller.id, call.caller.azp, _identity(call, request, session))
    _refuse_anothers(guest, session)
    left = tuple(one for one in session.invitations if one != used)
    session = replace(session, guests=(*session.guests, guest), invitations=left)
    return Seat(session, guest.identity, "invited", used)


def _identity(call: Call, request: JoinSession, session: Session) -> str:
    refuse_chosen_by_user(call.caller, request.participant_identity)
    if call.caller.kind == "user":
        return user_identity(call.caller.id)
    return request.participant_identity or invited_application_identity(session.id, call.caller)


def _refuse_anothers(guest: Guest, session: Session) -> None:
    """Two participants of one identity throw each other out of the room."""
    taken = {session.participant_identity: session.starter} | {
        one.identity: one.id for one in session.guests
    }
    if taken.get(guest.identity, guest.id) != guest.id:
        raise refused("identity_taken", "Somebody else in the session has it")


def _refuse_closed(session: Session) -> None:
    if session.state != "open":
        raise SessionEnded
