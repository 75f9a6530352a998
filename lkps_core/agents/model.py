"""An agent name with those it belongs to, and the registrations of its running instances."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from lkps_core.identity.principal import PrincipalId

type AccessMode = Literal["open", "granted", "closed"]


@dataclass(frozen=True, slots=True)
class Agent:
    """A name: its runners may register it, its owners may manage it, its mode says who may call it.

    With `report_only`, what mode, grants and limits would deny is recorded and not denied. While
    a planned rotation moves workers over, `previous_routing_version` is dispatched to as well.
    """

    name: str
    runners: frozenset[PrincipalId]
    owners: frozenset[PrincipalId]
    created_at: datetime
    beat_id: str | None = None
    contact: str | None = None
    access_mode: AccessMode = "granted"
    report_only: bool = False
    max_sessions: int | None = None
    max_session_seconds: int | None = None
    routing_version: int = 1
    previous_routing_version: int | None = None
    rotated_at: datetime | None = None

    @property
    def partition(self) -> str:
        return "agents"

    @property
    def key(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Registration:
    """One running instance, online until `lease_until`; its id carries the agent's name.

    `routing_version` is that of the routing secret which its worker is connected with, and
    `offered_version` that of the one it was last given, with which it connects next.
    """

    id: str
    agent_name: str
    holder: PrincipalId
    azp: str
    registered_at: datetime
    lease_until: datetime
    routing_version: int
    offered_version: int
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
