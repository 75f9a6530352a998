"""Whose session is it? Who may read and end one, and as what."""

from typing import Literal

from lkps_core.agents.model import Agent
from lkps_core.identity.permissions import ADMINISTER, MANAGE_AGENTS, START_SESSIONS
from lkps_core.identity.principal import Principal, PrincipalId

type Standing = Literal["starter", "owner", "admin"]


def standing(
    caller: Principal, starter: PrincipalId, azp: str, agent: Agent | None
) -> Standing | None:
    """As what the caller may read and end the session; None when it may not know of it.

    `starter` started it, through the application `azp`.
    """
    if caller.may(START_SESSIONS) and starter == caller.id and azp == caller.azp:
        return "starter"
    if caller.may(MANAGE_AGENTS) and agent is not None and caller.id in agent.owners:
        return "owner"
    return "admin" if caller.may(ADMINISTER) else None
