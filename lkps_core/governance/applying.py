"""Policy as code: plan a file, apply it, export what is live. Applying twice is as good as once."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass

from lkps_core.agents.assigning import Assigning
from lkps_core.agents.managing import manages
from lkps_core.agents.model import AccessMode, Agent
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.governance.granting import Granting
from lkps_core.governance.limiting import Limiting
from lkps_core.governance.linting import lint
from lkps_core.governance.live_policy import LivePolicy, agent_policy, read_live
from lkps_core.governance.planning import may_plan, plan
from lkps_core.governance.steps import AgentPlan, GrantStep, Plan, limits_change
from lkps_core.identity.permissions import ADMINISTER
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.model import Blocks, Grant, PlatformLimits
from lkps_core.policy.quotas import Quotas
from lkps_core.ports import Rows, Stored
from lkps_core.preconditions import Expected
from lkps_core.ranges import every
from lkps_core.wire.policy import (
    Applied,
    Change,
    Finding,
    Planned,
    PolicyAnswer,
    PolicyDocument,
)

_AT_ONCE = 16
_PACE = PlatformLimits(starts_per_minute_per_application=30, starts_per_minute_per_user=30)
"""Of files, planned or applied, by one caller: each may be 4 MiB, and reads all that it names."""


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A file beside what is live. `basis` is the ETag of the latter."""

    live: LivePolicy
    planned: Plan
    basis: str
    changes: list[Change]
    warnings: list[Finding]


class Applying:
    def __init__(
        self,
        new_mode: AccessMode,
        quotas: Quotas,
        evidences: Evidences,
        agents: Rows[Agent],
        grants: Rows[Grant],
        limits: Rows[PlatformLimits],
        assigning: Assigning,
        granting: Granting,
        limiting: Limiting,
        trail: Trail,
    ) -> None:
        self._new_mode = new_mode
        self._quotas = quotas
        self._one_at_a_time = asyncio.Lock()
        self._evidences = evidences
        self._agents = agents
        self._grants = grants
        self._limits = limits
        self._assigning = assigning
        self._granting = granting
        self._limiting = limiting
        self._trail = trail

    async def plan(self, call: Call, document: PolicyDocument) -> Planned:
        """As `apply`, and raises RateLimited as it does; nothing changes."""
        found = await self._compared(call, document)
        return Planned(basis=found.basis, changes=found.changes, warnings=found.warnings)

    async def apply(self, call: Call, document: PolicyDocument, expected: Expected) -> Applied:
        """Make it so. Where it fails half way, what is done stays, and applying again goes on."""
        found = await self._compared(call, document)
        expected.check(found.basis)
        if found.changes:
            await self._record(call, document, len(found.changes))
            await self._carry_out(call, found.live, found.planned)
        return Applied(changes=found.changes, warnings=found.warnings)

    async def export(self, call: Call) -> PolicyAnswer:
        """What the caller manages, in the file's own form; the limits for admins."""
        rows = [stored.row for stored in await every(self._agents, "agents")]
        names = [agent.name for agent in rows if manages(call, agent)]
        live = await self._read_live(call, names)
        limits = live.limits.row if live.limits else PlatformLimits()
        return PolicyAnswer(
            limits=_set_limits(limits) if call.caller.may(ADMINISTER) else None,
            agents={name: agent_policy(one) for name, one in live.agents.items() if one.agent},
        )

    async def _compared(self, call: Call, document: PolicyDocument) -> _Comparison:
        self._quotas.admit(call.caller, _PACE)
        async with self._one_at_a_time:  # a file in memory, with all it names, is enough
            live, blocks = await asyncio.gather(
                self._read_live(call, document.agents), self._evidences.blocks_now()
            )
            # in a thread: of thousands of grants, other requests would wait for it
            return await asyncio.to_thread(_compare, call, document, live, blocks, self._new_mode)

    async def _read_live(self, call: Call, names: Iterable[str]) -> LivePolicy:
        return await read_live(
            self._agents, self._grants, self._limits, names, lambda agent: may_plan(call, agent)
        )

    async def _record(self, call: Call, document: PolicyDocument, changes: int) -> None:
        digest = await asyncio.to_thread(_digest, document)
        after = {"document_sha256": digest, "changes": changes}
        await self._trail.record(call.event("policy.applied", after=after))

    async def _carry_out(self, call: Call, live: LivePolicy, planned: Plan) -> None:
        if planned.limits is not None:
            await self._limiting.put(call, live.limits, planned.limits)
        at_once = asyncio.Semaphore(_AT_ONCE)
        for one in planned.agents:
            await self._carry_out_agent(call, one, at_once)

    async def _carry_out_agent(
        self, call: Call, planned: AgentPlan, at_once: asyncio.Semaphore
    ) -> None:
        async def put(step: GrantStep) -> None:
            async with at_once:
                await self._granting.put(call, step.before, step.after)

        async def take(stored: Stored[Grant]) -> None:
            async with at_once:
                await self._granting.take(call, stored)

        is_new = planned.agent.before is None
        if is_new:
            await self._assigning.put(call, None, planned.agent.after)
        await _all(put(step) for step in planned.coming)
        if not is_new:
            await self._assigning.put(call, planned.agent.before, planned.agent.after)
        await _all(take(stored) for stored in planned.going)


def _compare(
    call: Call, document: PolicyDocument, live: LivePolicy, blocks: Blocks, new_mode: AccessMode
) -> _Comparison:
    planned = plan(call, document, live, new_mode)
    limits = planned.limits or (live.limits.row if live.limits else PlatformLimits())
    warnings = [
        finding for one in planned.agents for finding in lint(one.intended, blocks, limits, call.at)
    ]
    return _Comparison(live, planned, live.basis, _changes(live, planned), warnings)


def _digest(document: PolicyDocument) -> str:
    text = json.dumps(document.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _changes(live: LivePolicy, planned: Plan) -> list[Change]:
    of_limits = limits_change(live, planned.limits) if planned.limits else None
    of_agents = [change for one in planned.agents for change in one.changes()]
    return [of_limits, *of_agents] if of_limits else of_agents


def _set_limits(limits: PlatformLimits) -> dict[str, int]:
    members = {
        "starts_per_minute_per_application": limits.starts_per_minute_per_application,
        "starts_per_minute_per_user": limits.starts_per_minute_per_user,
        "max_sessions_per_agent": limits.max_sessions_per_agent,
        "max_session_seconds": limits.max_session_seconds,
    }
    return {name: value for name, value in members.items() if value is not None}


async def _all(steps: Iterable[Awaitable[None]]) -> None:
    """All to their end, then the first failure: none goes on behind the caller's back."""
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    failure = next((one for one in outcomes if isinstance(one, BaseException)), None)
    if failure is not None:
        raise failure
