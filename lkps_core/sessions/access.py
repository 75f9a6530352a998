"""Whose session is it? Who may read and end one, and as what."""

from typing import Literal

from lkps_core.agents.managing import owns
from lkps_core.agents.model import Agent
from lkps_core.identity.permissions import ADMINISTER, START_SESSIONS
from lkps_core.identity.principal import Principal, PrincipalId
from lkps_core.sessions.guests import Guest
from lkps_core.sessions.model import Session

type Standing = Literal["starter", "owner", "admin"]


def standing(
    caller: Principal, starter: PrincipalId, azp: str, agent: Agent | None
) -> Standing | None:
    """As what the caller may read and end the session; None when it may not know of it.

    `starter` started it, through the application `azp`.
    """
    if is_starter(caller, starter, azp):
        return "starter"
    if owns(caller, agent):
        return "owner"
    return "admin" if caller.may(ADMINISTER) else None


def is_starter(caller: Principal, starter: PrincipalId, azp: str) -> bool:
    return caller.may(START_SESSIONS) and starter == caller.id and azp == caller.azp


def as_guest(caller: Principal, session: Session) -> Guest | None:
    """The caller as whom an invitation let in, through the same application."""
    if not caller.may(START_SESSIONS):
        return None
    of_caller = (one for one in session.guests if (one.id, one.azp) == (caller.id, caller.azp))
    return next(of_caller, None)
