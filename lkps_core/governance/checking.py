"""The dry run: would this caller be let in, by which rule, and what would change that?

Whoever has nothing to do with an agent is told the same of every agent, and of every name that is
none: no reading of the tables differs, nor does the answer.
"""

from lkps_core.agents.directory import Directory
from lkps_core.agents.managing import managed_agent, manages
from lkps_core.agents.model import Agent
from lkps_core.call import Call
from lkps_core.identity.permissions import ADMINISTER, START_SESSIONS
from lkps_core.identity.principal import Principal
from lkps_core.policy.authorizing import LIMITS, Asked, Assessment, Authorizing
from lkps_core.policy.decision import Decision, Reason, Rule
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.explaining import EXPLANATIONS, NOT_CALLABLE
from lkps_core.policy.quotas import Quotas
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


class Checking:
    def __init__(
        self,
        directory: Directory,
        evidences: Evidences,
        quotas: Quotas,
        authorizing: Authorizing,
        session_max_seconds: int,
    ) -> None:
        self._directory = directory
        self._evidences = evidences
        self._quotas = quotas
        self._authorizing = authorizing
        self._session_max_seconds = session_max_seconds

    async def check(self, call: Call, request: CheckAuthorization) -> Checked:
        """About the caller, or for owners and admins about another: AgentNotFound for others.

        It reads as much as a refused start does, and is bounded by the same number a minute.
        """
        self._quotas.admit(call.caller, self._evidences.last_limits())
        name, caller = request.agent_name, call.caller
        if request.caller is not None:
            await managed_agent(self._directory, call, name)
            caller = _supposed(request.caller, call.caller.tid)
        assessment = await self._authorizing.assess(Asked(caller, name, call.at))
        is_related = _is_related(call, assessment)
        if not is_related and assessment.decision.rule not in _OF_THE_CALLER:
            return _not_callable(name, caller)
        agent = assessment.evidence.agent if is_related else None
        return self._checked(name, assessment.decision, agent)

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
            reasons=[_reason(one) for one in decision.reasons[:_MOST_REASONS]],
            contact=agent.contact if agent else None,
        )


def _is_related(call: Call, assessment: Assessment) -> bool:
    """Whoever manages or runs the agent, may call it, or has been granted it: even in vain.

    That there is none of that name, admins may know.
    """
    decision = assessment.decision
    if decision.allowed or decision.rule in LIMITS or assessment.evidence.grants:
        return True
    agent = assessment.evidence.agent
    if agent is None:
        return call.caller.may(ADMINISTER)
    return manages(call, agent) or call.caller.id in agent.runners


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
