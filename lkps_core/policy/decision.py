"""The decision: may this caller start a session with that agent, by which rule, and why (not)?

Pure, and the only place that decides it: starts, repeats, `authorization/check` and the policy
file's linter all ask here. Deny beats allow; what is absent says no; ids match exactly.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from math import inf
from operator import attrgetter
from typing import Literal

from lkps_core.agents.model import Agent
from lkps_core.identity.permissions import START_SESSIONS
from lkps_core.identity.principal import Principal
from lkps_core.policy.model import (
    Blocks,
    Grant,
    PlatformLimits,
    Scope,
    Usage,
    agent_subject,
    session_subject,
)

type Rule = Literal[
    "open",
    "granted",
    "report_only_grant",
    "report_only_mode",
    "permission_lacking",
    "application_blocked",
    "user_blocked",
    "session_blocked",
    "agent_unknown",
    "agent_blocked",
    "agent_closed",
    "no_grant",
    "grant_expired",
    "grant_for_application",
    "grant_for_users",
    "group_lacking",
    "groups_overage",
    "user_lacking",
    "grant_sessions_limit",
    "agent_sessions_limit",
    "platform_sessions_limit",
]

_SOFT: frozenset[Rule] = frozenset(
    ("group_lacking", "groups_overage", "user_lacking", "grant_sessions_limit")
)
"""What a report-only grant lets pass. An expired one, or one for others, is no grant at all."""

_NO_BLOCKS = Blocks()
_NO_LIMITS = PlatformLimits()
_NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Question:
    """`grants` may hold more than the caller's; `session_id` is that of a session there already."""

    caller: Principal
    agent: Agent | None
    now: datetime
    grants: Sequence[Grant] = ()
    blocks: Blocks = _NO_BLOCKS
    limits: PlatformLimits = _NO_LIMITS
    usage: Usage = _NO_USAGE
    session_id: str | None = None


type Reason = tuple[Rule, Grant | None]
"""What was found, and of which grant. A bare tuple: one decision may make hundreds of them."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`rule` decided; `reasons` are what was found, in order, the deciding one last.

    `would_deny` is the rule that would deny, were it not in report-only. `grant` is the one that
    a session counts against, and `longest_seconds` what policy allows it (None: no limit).
    """

    allowed: bool
    rule: Rule
    reasons: tuple[Reason, ...]
    grant: Grant | None = None
    would_deny: Rule | None = None
    longest_seconds: int | None = None


def decide(question: Question) -> Decision:
    """Never raises, whatever the rows say."""
    refused = _refused(question)
    if refused is not None:
        return Decision(False, refused, ((refused, None),))
    agent = question.agent
    assert agent is not None  # noqa: S101  an unknown agent is refused above
    access = _OPEN if agent.access_mode == "open" else _by_grants(question, agent)
    if not access.allowed:
        if not agent.report_only:
            return access
        access = _let_pass(access, "report_only_mode")
    return _within_limits(question, agent, access)


_OPEN = Decision(True, "open", (("open", None),))


def _refused(question: Question) -> Rule | None:
    """What denies whatever the grants say."""
    caller, blocks, now = question.caller, question.blocks, question.now
    if not caller.may(START_SESSIONS):
        return "permission_lacking"
    blocked_as = blocks.block_of(caller, now)
    if blocked_as is not None:
        return "application_blocked" if blocked_as == "application" else "user_blocked"
    if question.session_id and blocks.blocks(session_subject(question.session_id), now):
        return "session_blocked"
    if question.agent is None:
        return "agent_unknown"
    if blocks.blocks(agent_subject(question.agent.name), now):
        return "agent_blocked"
    return "agent_closed" if question.agent.access_mode == "closed" else None


def _by_grants(question: Question, agent: Agent) -> Decision:
    """The grant with the longest sessions of those that fit; else what each of them lacks."""
    caller, now, usage = question.caller, question.now, question.usage
    tid, azp, name = caller.tid, caller.azp, agent.name
    own = [
        grant
        for grant in question.grants
        if grant.client_app_id == azp and grant.tid == tid and grant.agent_name == name
    ]
    whole, ids = _scopes_of(caller)
    meant = [grant.scope == whole or grant.scope_id in ids[grant.scope] for grant in own]
    fitting = [
        grant
        for grant in compress(own, meant)
        if not grant.has_expired(now) and not _is_full(grant, usage)
    ]
    if not fitting:
        return _without_a_grant(own, _lacks(own, meant, caller, now))
    grant = min(fitting, key=_longest_first)
    return Decision(True, "granted", (("granted", grant),), grant)


def _scopes_of(caller: Principal) -> tuple[Scope, Mapping[Scope, Collection[str]]]:
    """Which grants of its application mean the caller: a whole scope's, or those to these ids."""
    if caller.kind == "app":
        return "application", {"any_user": (), "group": (), "user": ()}
    return "any_user", {"application": (), "group": caller.groups, "user": (caller.oid,)}


def _is_full(grant: Grant, usage: Usage) -> bool:
    most = grant.max_sessions
    return most is not None and usage.of_grants.get(grant.id, 0) >= most


def _longest_first(grant: Grant) -> tuple[float, str]:
    """Ties go to the smaller id, so that every instance decides alike."""
    seconds = grant.max_session_seconds
    return (-inf if seconds is None else -seconds, grant.id)


def _lacks(own: list[Grant], meant: list[bool], caller: Principal, now: datetime) -> list[Rule]:
    """What the caller lacks for each grant of its application, none of which fits."""
    by_users = _LACKED_IN_AN_OVERAGE if caller.groups_overage else _LACKED_BY_USERS
    lacking = _LACKED_BY_APPLICATIONS if caller.kind == "app" else by_users
    return [
        "grant_expired"
        if grant.expires_at is not None and now >= grant.expires_at
        else "grant_sessions_limit"
        if is_meant
        else lacking[grant.scope]
        for grant, is_meant in zip(own, meant, strict=True)
    ]


_LACKED_BY_APPLICATIONS: dict[Scope, Rule] = {
    "any_user": "grant_for_users",
    "group": "grant_for_users",
    "user": "grant_for_users",
}
_LACKED_BY_USERS: dict[Scope, Rule] = {
    "application": "grant_for_application",
    "group": "group_lacking",
    "user": "user_lacking",
}
_LACKED_IN_AN_OVERAGE = _LACKED_BY_USERS | {"group": "groups_overage"}


def _without_a_grant(own: list[Grant], lacks: list[Rule]) -> Decision:
    denying = _most_telling(lacks)
    lacking = list(zip(lacks, own, strict=True))
    passing = [grant for lack, grant in lacking if grant.report_only and lack in _SOFT]
    if passing:
        grant = min(passing, key=attrgetter("id"))  # as in `_longest_first`
        reasons = (*lacking, ("report_only_grant", grant))
        return Decision(True, "report_only_grant", reasons, grant, denying)
    deciding: Reason = (denying, None)
    if lacking:
        deciding = lacking.pop(lacks.index(denying))
    return Decision(False, denying, (*lacking, deciding))


def _most_telling(lacks: list[Rule]) -> Rule:
    """A full grant fits but for now; an overage hides whether one does; else nothing fits."""
    rules = set(lacks)
    for rule in _TELLING:
        if rule in rules:
            return rule
    return "no_grant"


_TELLING: tuple[Rule, ...] = (
    "grant_sessions_limit",
    "groups_overage",
    "group_lacking",
    "user_lacking",
    "grant_expired",
    "grant_for_users",
    "grant_for_application",
)


def _let_pass(denied: Decision, rule: Rule) -> Decision:
    return Decision(True, rule, (*denied.reasons, (rule, None)), None, denied.rule)


def _within_limits(question: Question, agent: Agent, access: Decision) -> Decision:
    """The platform's limit always denies; the agent's own only outside report-only."""
    of_agent, limits = question.usage.of_agent, question.limits
    most = limits.max_sessions_per_agent
    if most is not None and of_agent >= most:
        return _denied(access, "platform_sessions_limit")
    would_deny, reasons = access.would_deny, access.reasons
    if agent.max_sessions is not None and of_agent >= agent.max_sessions:
        if not agent.report_only:
            return _denied(access, "agent_sessions_limit")
        would_deny = would_deny or "agent_sessions_limit"
        reasons = (*reasons[:-1], ("agent_sessions_limit", None), reasons[-1])
    longest = _longest(limits, agent, access.grant)
    return Decision(True, access.rule, reasons, access.grant, would_deny, longest)


def _denied(access: Decision, rule: Rule) -> Decision:
    return Decision(False, rule, (*access.reasons, (rule, None)))


def _longest(limits: PlatformLimits, agent: Agent, grant: Grant | None) -> int | None:
    """The shortest of the limits that are enforced."""
    seconds = [limits.max_session_seconds]
    if not agent.report_only:
        seconds.append(agent.max_session_seconds)
        if grant is not None and not grant.report_only:
            seconds.append(grant.max_session_seconds)
    return min((one for one in seconds if one is not None), default=None)
