"""Whose session is it? Who may read and end one, and as what."""

from typing import Literal

from lkps_core.agents.model import Agent
from lkps_core.identity.permissions import ADMINISTER, MANAGE_AGENTS, START_SESSIONS
from lkps_core.identity.principal import Principal
from lkps_core.sessions.model import Session

type Standing = Literal["starter", "owner", "admin"]


def standing(caller: Principal, session: Session, agent: Agent | None) -> Standing | None:
    """As what the caller may read and end the session; None when it may not know of it."""
    if caller.may(START_SESSIONS) and session.starter == caller.id and session.azp == caller.azp:
        return "starter"
    if caller.may(MANAGE_AGENTS) and agent is not None and caller.id in agent.owners:
        return "owner"
    return "admin" if caller.may(ADMINISTER) else None
