"""Whose session is it? Who may read and end one, and as what."""

from typing import Literal

from lkps_core.agents.model import Agent
from lkps_core.identity.permissions import ADMINISTER, MANAGE_AGENTS, START_SESSIONS
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
    if caller.may(MANAGE_AGENTS) and agent is not None and caller.id in agent.owners:
        return "owner"
    return "admin" if caller.may(ADMINISTER) else None


def sees_all_of(caller: Principal, agent: Agent | None) -> bool:
    """Whether the caller may read every session of the agent, and what became of its jobs."""
    if caller.may(ADMINISTER):
        return True
    return caller.may(MANAGE_AGENTS) and agent is not None and caller.id in agent.owners


def is_starter(caller: Principal, starter: PrincipalId, azp: str) -> bool:
    return caller.may(START_SESSIONS) and starter == caller.id and azp == caller.azp


def as_guest(caller: Principal, session: Session) -> Guest | None:
    """The caller as whom an invitation let in, through the same application."""
    if not caller.may(START_SESSIONS):
        return None
    of_caller = (one for one in session.guests if (one.id, one.azp) == (caller.id, caller.azp))
    return next(of_caller, None)
