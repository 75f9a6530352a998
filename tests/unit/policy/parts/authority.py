"""One process's way from a question to its answer, over memory tables that others may share."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from lkps_core.adapters.memory import (
    MemoryRegistrations,
    MemoryRooms,
    MemoryRows,
    MemorySessions,
)
from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent, Registration
from lkps_core.errors import Refusal
from lkps_core.identity.principal import Principal, PrincipalId
from lkps_core.policy.authorizing import Asked, Authorized, Authorizing
from lkps_core.policy.evidence import Evidence, Evidences
from lkps_core.policy.model import Grant, PlatformLimits, Revocation
from lkps_core.policy.usage import UsageBook
from tests.builders.lkps import FakeClock
from tests.builders.tokens import TENANT
from tests.unit.policy.parts.policies import AGENT_NAME, APPLICATION, GRANTED


@dataclass
class Authority:
    clock: FakeClock = field(default_factory=FakeClock)
    agents: MemoryRows[Agent] = field(default_factory=MemoryRows[Agent])
    registrations: MemoryRegistrations = field(default_factory=MemoryRegistrations)
    grants: MemoryRows[Grant] = field(default_factory=MemoryRows[Grant])
    revocations: MemoryRows[Revocation] = field(default_factory=MemoryRows[Revocation])
    limits: MemoryRows[PlatformLimits] = field(default_factory=MemoryRows[PlatformLimits])
    sessions: MemorySessions = field(default_factory=MemorySessions)
    rooms: MemoryRooms = field(default_factory=MemoryRooms)

    def __post_init__(self) -> None:
        monotonic = self.clock.monotonic
        self.directory = Directory(self.agents, self.registrations, self.clock, monotonic)
        self.evidences = Evidences(
            self.directory, self.grants, self.revocations, self.limits, monotonic
        )
        self.usage = UsageBook(self.sessions, self.rooms, self.clock, monotonic)
        self.authorizing = Authorizing(self.directory, self.evidences, self.usage)

    def another_process(self) -> "Authority":
        return replace(self)

    async def authorize(
        self,
        caller: Principal = APPLICATION,
        agent_name: str = AGENT_NAME,
        session_id: str | None = None,
    ) -> Authorized:
        return await self.authorizing.authorize(Asked(caller, agent_name, self.clock(), session_id))

    async def answer(
        self,
        caller: Principal = APPLICATION,
        agent_name: str = AGENT_NAME,
        **more: Any,  # noqa: ANN401
    ) -> str:
        """The rule that let the caller in, or the reason for which it was refused."""
        try:
            return (await self.authorize(caller, agent_name, **more)).decision.rule
        except Refusal as refusal:
            return refusal.reason

    def remembered(
        self, caller: Principal = APPLICATION, agent_name: str = AGENT_NAME
    ) -> Evidence | None:
        return self.evidences.remembered(caller, agent_name)

    def used(self, caller: Principal = APPLICATION, agent_name: str = AGENT_NAME) -> Evidence:
        """What is remembered, by somebody who goes ahead on it."""
        evidence = self.remembered(caller, agent_name)
        assert evidence is not None
        self.evidences.keep(caller, evidence)
        return evidence

    async def now(self, caller: Principal = APPLICATION, agent_name: str = AGENT_NAME) -> Evidence:
        return await self.evidences.now(caller, agent_name, self.clock())

    async def assign(self, agent: Agent = GRANTED) -> None:
        """Write the agent as it is now, whatever it was."""
        await put(self.agents, agent)

    async def go_online(self, agent_name: str = AGENT_NAME) -> None:
        await self.registrations.add(registration(agent_name, self.clock))

    @property
    def tables(self) -> dict[str, MemoryRows[Any]]:
        return {
            "agents": self.agents,
            "registrations": self.registrations,
            "grants": self.grants,
            "revocations": self.revocations,
            "limits": self.limits,
            "sessions": self.sessions,
        }

    @property
    def calls(self) -> dict[str, int]:
        return {name: len(table.calls) for name, table in self.tables.items()}


async def put(table: MemoryRows[Any], row: Any) -> None:  # noqa: ANN401
    there = await table.get(row.partition, row.key)
    if there is None:
        await table.add(row)
    else:
        await table.replace(row, there.etag)


async def take(table: MemoryRows[Any], row: Any) -> None:  # noqa: ANN401
    there = await table.get(row.partition, row.key)
    assert there is not None
    await table.remove(there.row, there.etag)


def registration(agent_name: str, clock: FakeClock, seconds: float = 3600) -> Registration:
    return Registration(
        id=f"{agent_name}--registration",
        agent_name=agent_name,
        holder=PrincipalId(TENANT, "runner"),
        azp="runner",
        registered_at=clock(),
        lease_until=clock() + timedelta(seconds=seconds),
        routing_version=1,
        offered_version=1,
    )
