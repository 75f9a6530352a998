"""What a platform is to consist of, decided before anything is started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dev.platform.places import LOGS, ROOT

type PartName = Literal["tenant", "azurite", "livekit", "service"]

DEPENDENCIES: frozenset[PartName] = frozenset({"tenant", "azurite", "livekit"})
ALL: frozenset[PartName] = DEPENDENCIES | {"service"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`settings` win over what the platform would set.

    A `tenant_state` of None is made for the run; `persistent` tables and blobs live as long as the
    run; with `timers` the service runs its timers on their schedules; `node_options` are those of
    Azurite; LiveKit tells its events to `webhook`, or to the service; the two ports are wishes.
    """

    parts: frozenset[PartName] = ALL
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    app: Path = ROOT
    logs: Path = LOGS
    tenant_state: Path | None = None
    persistent: bool = False
    timers: bool = False
    node_options: tuple[str, ...] = ()
    webhook: str | None = None
    lkps_port: int | None = None
    livekit_port: int | None = None
