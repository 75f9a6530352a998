"""Authorizing a start: evidence, decision, and the refusal that tells the caller what it may know.

What allows may be 5 s old; what refuses is decided on the tables as they are, so that a grant
counts at once for whoever was refused.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent, Registration
from lkps_core.errors import (
    AgentNotCallable,
    CallerBlocked,
    GroupsOverage,
    Refusal,
    SessionEnded,
    StorageUnavailable,
    TooManySessions,
)
from lkps_core.identity.principal import Principal
from lkps_core.policy.decision import Decision, Question, Rule, decide
from lkps_core.policy.evidence import Evidence, Evidences
from lkps_core.policy.model import agent_subject
from lkps_core.policy.usage import UsageBook


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for which agent, and when; `session_id` when a repeat may find its session."""

    caller: Principal
    agent_name: str
    at: datetime
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    evidence: Evidence
    decision: Decision
    online: Sequence[Registration]


@dataclass(frozen=True, slots=True)
class Authorized:
    """`is_counted`: a limit counts the session, so `UsageBook.begin` must be told of it.

    `began` is the monotonic moment at which the oldest of its evidence began to be read.
    """

    agent: Agent
    online: Sequence[Registration]
    decision: Decision
    is_counted: bool
    began: float


class Authorizing:
    def __init__(self, directory: Directory, evidences: Evidences, usage: UsageBook) -> None:
        self._directory = directory
        self._evidences = evidences
        self._usage = usage

    async def authorize(self, asked: Asked) -> Authorized:
        """Raise the refusal, or return with evidence that is less than 5 s old.

        Until the caller suspends, nobody else of this process is authorized: whoever begins the
        session at once keeps its limits exactly.
        """
        evidence = self._evidences.remembered(asked.caller, asked.agent_name)
        assessment = await self._assessed(asked, evidence) if evidence else None
        if assessment is None or not self._may_go_ahead(assessment):
            assessment = await self.assess(asked)
        if not assessment.decision.allowed:
            raise refusal(assessment.decision.rule, asked.caller)
        if not self._may_go_ahead(assessment):
            raise StorageUnavailable(reason="the decision's rows took too long to read")
        self._evidences.keep(asked.caller, assessment.evidence)
        agent = assessment.evidence.agent
        assert agent is not None  # noqa: S101  an unknown agent is not allowed
        return Authorized(
            agent,
            assessment.online,
            assessment.decision,
            assessment.evidence.counts_sessions,
            assessment.evidence.began,
        )

    def is_too_old(self, authorized: Authorized) -> bool:
        """Whether its effects must not begin any more: a block may have come since."""
        return self._evidences.is_too_old(authorized.began)

    async def is_reached_by(self, agent_name: str, routing_version: int, at: datetime) -> bool:
        """Whether the agent may still be dispatched to with that version of its routing secret."""
        stored, blocks = await asyncio.gather(
            self._directory.agent_now(agent_name), self._evidences.blocks()
        )
        if stored is None or blocks.blocks(agent_subject(agent_name), at):
            return False
        agent = stored.row
        return routing_version in (agent.routing_version, agent.previous_routing_version)

    async def assess(self, asked: Asked) -> Assessment:
        """The decision on the tables as they are, whatever it is."""
        evidence = await self._evidences.now(asked.caller, asked.agent_name, asked.at)
        assessment = await self._assessed(asked, evidence)
        if assessment.decision.rule not in LIMITS:
            return assessment
        usage = await self._usage.exactly(asked.agent_name, asked.at, apart_from=asked.session_id)
        return replace(
            assessment, decision=decide(replace(_question(asked, evidence), usage=usage))
        )

    def _may_go_ahead(self, assessment: Assessment) -> bool:
        return assessment.decision.allowed and not self._evidences.is_too_old(
            assessment.evidence.began
        )

    async def _assessed(self, asked: Asked, evidence: Evidence) -> Assessment:
        """What suspends comes before the decision that counts."""
        question = _question(asked, evidence)
        decision = decide(question)
        online: Sequence[Registration] = ()
        if decision.allowed:
            reading = evidence.online or self._directory.online(asked.agent_name, asked.at)
            online = await reading
        if decision.allowed and evidence.counts_sessions:
            usage = await self._usage.of(asked.agent_name, asked.at, apart_from=asked.session_id)
            decision = decide(replace(question, usage=usage))
        return Assessment(evidence, decision, online)


LIMITS: frozenset[Rule] = frozenset(
    ("grant_sessions_limit", "agent_sessions_limit", "platform_sessions_limit")
)


def refusal(rule: Rule, caller: Principal) -> Refusal:
    """Unknown, closed, blocked and ungranted agents are one answer; only the trail knows which."""
    if rule in ("application_blocked", "user_blocked"):
        return CallerBlocked(reason=rule)
    if rule == "session_blocked":
        return SessionEnded(reason=rule)
    if rule in LIMITS:
        return TooManySessions(reason=rule)
    if caller.groups_overage:
        return GroupsOverage(reason=rule)
    return AgentNotCallable(reason=rule)


def _question(asked: Asked, evidence: Evidence) -> Question:
    return Question(
        asked.caller,
        evidence.agent,
        asked.at,
        evidence.grants,
        evidence.blocks,
        evidence.limits,
        session_id=asked.session_id,
    )
