"""The dry run: would this caller be let in, by which rule, and what would change that?

Whoever has nothing to do with an agent is told the same of every agent, and of every name that is
none: no reading of the tables differs, nor does the answer. Grants for other users are told to
whoever manages or runs the agent, nobody else.
"""

from dataclasses import replace

from lkps_core.agents.directory import Directory
from lkps_core.agents.managing import managed_agent, manages
from lkps_core.agents.model import Agent
from lkps_core.call import Call
from lkps_core.errors import CallerBlocked
from lkps_core.identity.permissions import ADMINISTER, START_SESSIONS
from lkps_core.identity.principal import Principal
from lkps_core.policy.admitting import Admitting
from lkps_core.policy.authorizing import LIMITS, Asked, Assessment, Authorizing
from lkps_core.policy.decision import Decision, Reason, Rule
from lkps_core.policy.explaining import EXPLANATIONS, NOT_CALLABLE
from lkps_core.policy.model import Blocks, Grant
from lkps_core.wire.authorization import (
    CheckAuthorization,
    Checked,
    ReasonAnswer,
    SupposedCaller,
)

_MOST_REASONS = 50
_NOBODY = "00000000-0000-0000-0000-000000000000"
_OF_THE_CALLER: frozenset[Rule] = frozenset(
    ("permission_lacking", "application_blocked", "user_blocked")
)
"""What is decided before any agent is looked at, and so tells nothing of one."""

_FITS: frozenset[Rule] = frozenset(("granted", "grant_sessions_limit"))
_LETS_IN: frozenset[Rule] = frozenset(("granted", "report_only_grant"))


class Checking:
    def __init__(
        self,
        directory: Directory,
        admitting: Admitting,
        authorizing: Authorizing,
        session_max_seconds: int,
    ) -> None:
        self._directory = directory
        self._admitting = admitting
        self._authorizing = authorizing
        self._session_max_seconds = session_max_seconds

    async def check(self, call: Call, request: CheckAuthorization) -> Checked:
        """About the caller, or for owners and admins about another: AgentNotFound for others.

        Raises CallerBlocked for who is blocked and asks about another; about itself it still may.
        It reads as much as a refused start does, and is bounded by the same number a minute.
        """
        self._admitting.admit(call.caller)
        name, caller = request.agent_name, call.caller
        if request.caller is not None:
            await managed_agent(self._directory, call, name)
            caller = _supposed(request.caller, call.caller.tid)
        assessment = await self._authorizing.assess(Asked(caller, name, call.at))
        if request.caller is not None:
            _refuse_blocked(call, assessment.evidence.blocks)
        decision, agent = assessment.decision, assessment.evidence.agent
        if _sees_all(call, agent):
            return self._checked(name, decision, agent)
        decision = _without_others(decision, caller)
        if _is_related(assessment, caller):
            return self._checked(name, decision, agent)
        if decision.rule in _OF_THE_CALLER:
            return self._checked(name, decision, None)
        return _not_callable(name, caller)

    def _checked(self, name: str, decision: Decision, agent: Agent | None) -> Checked:
        longest = decision.longest_seconds or self._session_max_seconds
        return Checked(
            agent_name=name,
            allowed=decision.allowed,
            rule=decision.rule,
            would_deny=decision.would_deny,
            grant_id=decision.grant.id if decision.grant else None,
            max_session_seconds=(
                min(longest, self._session_max_seconds) if decision.allowed else None
            ),
            reasons=[_reason(one) for one in decision.reasons[-_MOST_REASONS:]],
            contact=agent.contact if agent else None,
        )


def _refuse_blocked(call: Call, blocks: Blocks) -> None:
    blocked_as = blocks.block_of(call.caller, call.at)
    if blocked_as is not None:
        raise CallerBlocked(reason=f"{blocked_as}_blocked")


def _sees_all(call: Call, agent: Agent | None) -> bool:
    """Whoever manages or runs the agent. That there is none of that name, admins may know."""
    if agent is None:
        return call.caller.may(ADMINISTER)
    return manages(call, agent) or call.caller.id in agent.runners


def _is_related(assessment: Assessment, caller: Principal) -> bool:
    """Whoever may call the agent, or has been granted it: even in vain."""
    decision = assessment.decision
    if decision.allowed or decision.rule in LIMITS:
        return True
    return any(_concerns(grant, caller) for grant in assessment.evidence.grants)


def _concerns(grant: Grant, caller: Principal) -> bool:
    """A grant for one user is that user's business: not that of others of the application."""
    return grant.scope != "user" or grant.scope_id == caller.oid


def _without_others(decision: Decision, caller: Principal) -> Decision:
    """As if there were no grants for other users; and with no grant's id but of the one that fits.

    An id follows from whom the grant is for: who has it can confirm a guess.
    """
    fitting = decision.reasons[-1][1] if decision.rule in _FITS else None
    lacking = [
        (rule, grant)
        for rule, grant in decision.reasons
        if grant is not None and rule not in _LETS_IN
    ]
    rest = decision.reasons[len(lacking) :]  # they come after what is lacking
    reasons: list[Reason] = [one for one in lacking if _concerns(one[1], caller)]
    told = {rule for rule, _ in (*reasons, *rest)}
    rule = decision.rule if decision.rule in told else "no_grant"
    would_deny = decision.would_deny
    if would_deny is not None and would_deny not in told:
        would_deny = "no_grant"
    if lacking and (not reasons or "no_grant" in (rule, would_deny)):
        reasons.append(("no_grant", None))
    reasons = [(one, grant if grant is fitting else None) for one, grant in (*reasons, *rest)]
    return replace(
        decision, rule=rule, reasons=tuple(reasons), grant=fitting, would_deny=would_deny
    )


def _supposed(caller: SupposedCaller, tid: str) -> Principal:
    is_app = caller.user_oid is None
    return Principal(
        kind="app" if is_app else "user",
        tid=tid,
        oid=caller.user_oid or _NOBODY,
        azp=caller.client_app_id,
        uti="supposed",
        permissions=frozenset((START_SESSIONS.role if is_app else START_SESSIONS.scope,)),
        groups=frozenset(caller.groups),
        groups_overage=caller.groups_overage,
    )


def _reason(reason: Reason) -> ReasonAnswer:
    rule, grant = reason
    detail, change, who = EXPLANATIONS[rule]
    return ReasonAnswer(
        rule=rule, detail=detail, change=change, who=who, grant_id=grant.id if grant else None
    )


def _not_callable(name: str, caller: Principal) -> Checked:
    detail, change, who = NOT_CALLABLE
    reasons = [ReasonAnswer(rule="not_callable", detail=detail, change=change, who=who)]
    if caller.groups_overage:
        reasons.insert(0, _reason(("groups_overage", None)))
    return Checked(
        agent_name=name,
        allowed=False,
        rule="not_callable",
        would_deny=None,
        grant_id=None,
        max_session_seconds=None,
        reasons=reasons,
        contact=None,
    )
