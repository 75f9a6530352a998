"""The steps from what is live to what a policy file says, each with the change that it is."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from lkps_core.agents.managing import difference, settings_of
from lkps_core.agents.model import Agent
from lkps_core.governance.grants import terms_of
from lkps_core.governance.linting import Intended
from lkps_core.governance.live_policy import LivePolicy
from lkps_core.policy.model import Grant, PlatformLimits
from lkps_core.ports import Stored
from lkps_core.wire.policy import Change


@dataclass(frozen=True, slots=True)
class AgentStep:
    before: Stored[Agent] | None
    after: Agent

    def change(self) -> Change | None:
        before, after = difference(
            settings_of(self.before.row) if self.before else {}, settings_of(self.after)
        )
        if self.before is not None and not after:
            return None
        return Change(
            action="update" if self.before else "create",
            kind="agent",
            agent_name=self.after.name,
            before=before or None,
            after=after,
        )


@dataclass(frozen=True, slots=True)
class GrantStep:
    """A grant that is new (no `before`), or stays and may change."""

    before: Stored[Grant] | None
    after: Grant

    def change(self) -> Change | None:
        before, after = difference(
            terms_of(self.before.row) if self.before else {}, terms_of(self.after)
        )
        if not before and not after:
            return None
        return Change(
            action="update" if self.before else "create",
            kind="grant",
            agent_name=self.after.agent_name,
            grant_id=self.after.id,
            before=before or None,
            after=after or None,
        )


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """Grants come before the agent changes and go after it, so that nobody is shut out between."""

    agent: AgentStep
    coming: list[GrantStep]
    going: list[Stored[Grant]]
    intended: Intended

    def changes(self) -> Iterator[Change]:
        for change in (self.agent.change(), *(step.change() for step in self.coming)):
            if change is not None:
                yield change
        for stored in self.going:
            yield _removal(stored.row)


def _removal(grant: Grant) -> Change:
    return Change(
        action="delete",
        kind="grant",
        agent_name=grant.agent_name,
        grant_id=grant.id,
        before=terms_of(grant),
        after=None,
    )


@dataclass(frozen=True, slots=True)
class Plan:
    limits: PlatformLimits | None
    agents: list[AgentPlan]


def limits_change(live: LivePolicy, limits: PlatformLimits) -> Change | None:
    now = live.limits.row if live.limits else PlatformLimits()
    before, after = difference(asdict(now), asdict(limits))
    if not after:
        return None
    return Change(action="update", kind="limits", before=before, after=after)
