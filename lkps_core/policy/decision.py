"""The decision: may this caller start a session with that agent, by which rule, and why (not)?

Pure, and the only place that decides it: starts, repeats, `authorization/check` and the policy
file's linter all ask here. Deny beats allow; what is absent says no; ids match exactly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Literal

from lkps_core.agents.model import Agent
from lkps_core.identity.permissions import START_SESSIONS
from lkps_core.identity.principal import Principal
from lkps_core.policy.model import (
    Blocks,
    Grant,
    PlatformLimits,
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
    lacks = [_lack(grant, caller, now) or _full(grant, usage) for grant in own]
    fitting: Grant | None = None
    for grant, lack in zip(own, lacks, strict=True):
        if lack is None and (fitting is None or _longer(grant, fitting)):
            fitting = grant
    if fitting is not None:
        return Decision(True, "granted", (("granted", fitting),), fitting)
    return _without_a_grant([(lack, grant) for lack, grant in zip(lacks, own, strict=True) if lack])


def _lack(grant: Grant, caller: Principal, now: datetime) -> Rule | None:
    """What the caller lacks for this grant of its application; None when it is for the caller."""
    expires_at, scope = grant.expires_at, grant.scope
    if expires_at is not None and now >= expires_at:
        return "grant_expired"
    if scope == "application":
        return None if caller.kind == "app" else "grant_for_application"
    if caller.kind != "user":
        return "grant_for_users"
    if scope == "group" and grant.scope_id not in caller.groups:
        return "groups_overage" if caller.groups_overage else "group_lacking"
    return "user_lacking" if scope == "user" and grant.scope_id != caller.oid else None


def _full(grant: Grant, usage: Usage) -> Rule | None:
    most = grant.max_sessions
    if most is None or usage.of_grants.get(grant.id, 0) < most:
        return None
    return "grant_sessions_limit"


def _longer(one: Grant, other: Grant) -> bool:
    """Ties go to the smaller id, so that every instance decides alike."""
    of_one, of_other = one.max_session_seconds, other.max_session_seconds
    if of_one == of_other:
        return one.id < other.id
    return of_one is None or (of_other is not None and of_one > of_other)


def _without_a_grant(lacking: list[Reason]) -> Decision:
    denying = _most_telling(lacking)
    passing = [grant for lack, grant in lacking if grant and grant.report_only and lack in _SOFT]
    if passing:
        grant = min(passing, key=attrgetter("id"))  # as in `_longer`
        reasons = (*lacking, ("report_only_grant", grant))
        return Decision(True, "report_only_grant", reasons, grant, denying)
    deciding = next((one for one in lacking if one[0] == denying), (denying, None))
    others = [one for one in lacking if one is not deciding]
    return Decision(False, denying, (*others, deciding))


def _most_telling(lacking: Iterable[Reason]) -> Rule:
    """A full grant fits but for now; an overage hides whether one does; else nothing fits."""
    rules = {rule for rule, _ in lacking}
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
