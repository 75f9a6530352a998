"""What is odd about a policy though it can be applied: found by asking the decision itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lkps_core.agents.model import Agent
from lkps_core.identity.permissions import START_SESSIONS
from lkps_core.identity.principal import Principal
from lkps_core.policy.decision import Question, Rule, decide
from lkps_core.policy.model import Blocks, Grant, PlatformLimits
from lkps_core.wire.policy import Finding


@dataclass(frozen=True, slots=True)
class Intended:
    """An agent as a policy would leave it. `places` has the index in the file of its grants."""

    agent: Agent
    grants: Sequence[Grant]
    is_new: bool
    places: Mapping[str, int]


_WHY: Mapping[Rule, str] = {
    "open": "the agent is open to every client: no grant is looked at",
    "agent_closed": "the agent is closed: nobody is let in",
    "agent_blocked": "the agent is blocked",
    "application_blocked": "the client application is blocked",
    "user_blocked": "the user is blocked",
    "grant_expired": "it has expired",
}


def lint(
    intended: Intended, blocks: Blocks, limits: PlatformLimits, now: datetime
) -> Iterator[Finding]:
    agent, grants = intended.agent, intended.grants
    pointer = f"/agents/{agent.name}"
    if intended.is_new and not agent.runners:
        yield Finding(
            code="agent_unknown",
            pointer=pointer,
            detail="there is no such agent yet, and nobody named here may run it",
        )
    if intended.is_new and not agent.owners:
        yield Finding(
            code="agent_without_owners", pointer=pointer, detail="only admins can manage it"
        )
    if agent.access_mode == "granted" and not grants:
        yield Finding(
            code="granted_without_grants", pointer=pointer, detail="nobody can call the agent"
        )
    for grant in grants:
        if grant.id in intended.places:
            place = f"{pointer}/grants/{intended.places[grant.id]}"
            yield from _lint_grant(agent, grant, blocks, limits, now, place)


def _lint_grant(
    agent: Agent,
    grant: Grant,
    blocks: Blocks,
    limits: PlatformLimits,
    now: datetime,
    pointer: str,
) -> Iterator[Finding]:
    """Whether even the caller that the grant is made for is let in by it."""
    decision = decide(Question(_made_for(grant), agent, now, (grant,), blocks, limits))
    rule = decision.would_deny or decision.rule
    if rule != "granted":
        yield Finding(code=rule, pointer=pointer, detail=f"never matches: {_WHY.get(rule, rule)}")
    bounds = (agent.max_session_seconds, limits.max_session_seconds)
    longest = min((one for one in bounds if one is not None), default=None)
    own = grant.max_session_seconds
    if own is not None and longest is not None and own > longest:
        yield Finding(
            code="limit_without_effect",
            pointer=f"{pointer}/max_session_seconds",
            detail=f"sessions of this agent last {longest} s at most",
        )


def _made_for(grant: Grant) -> Principal:
    is_app = grant.scope == "application"
    return Principal(
        kind="app" if is_app else "user",
        tid=grant.tid,
        oid=grant.scope_id if grant.scope == "user" and grant.scope_id else "somebody",
        azp=grant.client_app_id,
        uti="supposed",
        permissions=frozenset((START_SESSIONS.role if is_app else START_SESSIONS.scope,)),
        groups=frozenset((grant.scope_id,))
        if grant.scope == "group" and grant.scope_id
        else frozenset(),
    )
