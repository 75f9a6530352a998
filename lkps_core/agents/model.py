"""An agent name with those it belongs to, and the registrations of its running instances."""

from dataclasses import dataclass, field
from datetime import datetime

from lkps_core.identity.principal import PrincipalId


@dataclass(frozen=True, slots=True)
class Agent:
    """A name: its runners may register it, its owners may manage it."""

    name: str
    runners: frozenset[PrincipalId]
    owners: frozenset[PrincipalId]
    created_at: datetime
    beat_id: str | None = None
    routing_version: int = 1

    @property
    def partition(self) -> str:
        return "agents"

    @property
    def key(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Registration:
    """One running instance, online until `lease_until`; its id carries the agent's name."""

    id: str
    agent_name: str
    holder: PrincipalId
    azp: str
    registered_at: datetime
    lease_until: datetime
    routing_version: int
    version: str | None = None
    instance: str | None = None
    labels: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def partition(self) -> str:
        return self.agent_name

    @property
    def key(self) -> str:
        return self.id

    def is_live(self, now: datetime) -> bool:
        return now < self.lease_until
