"""The policy as it is live: agents with their grants, and the platform's limits, in one reading."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from lkps_core.agents.managing import settings_of
from lkps_core.agents.model import Agent
from lkps_core.governance.grants import terms_of
from lkps_core.policy.model import Grant, PlatformLimits
from lkps_core.ports import Rows, Stored
from lkps_core.preconditions import etag_of
from lkps_core.ranges import every

_AT_ONCE = 16
_BY_NAME = 20
"""Agents that are read one by one; of more, the table is read by pages."""


@dataclass(frozen=True, slots=True)
class LiveAgent:
    """`agent` is None for a name that is not there."""

    agent: Stored[Agent] | None
    grants: list[Stored[Grant]]


@dataclass(frozen=True, slots=True)
class LivePolicy:
    agents: dict[str, LiveAgent]
    limits: Stored[PlatformLimits] | None

    @property
    def basis(self) -> str:
        """An ETag of all of it."""
        return etag_of(
            {
                "limits": asdict(self.limits.row if self.limits else PlatformLimits()),
                "agents": {
                    name: {
                        "settings": settings_of(live.agent.row) if live.agent else None,
                        "grants": {one.row.id: terms_of(one.row) for one in live.grants},
                    }
                    for name, live in self.agents.items()
                },
            }
        )


async def read_live(
    agents: Rows[Agent],
    grants: Rows[Grant],
    limits: Rows[PlatformLimits],
    names: Iterable[str],
    sees: Callable[[Stored[Agent] | None], bool],
) -> LivePolicy:
    """Grants only of the agents that the caller `sees`: what others have must not cost time."""
    at_once, names = asyncio.Semaphore(_AT_ONCE), sorted(names)
    table: dict[str, Stored[Agent]] | None = None
    if len(names) > _BY_NAME:
        table = {stored.row.name: stored for stored in await every(agents, "agents")}

    async def one(name: str) -> tuple[str, LiveAgent]:
        async with at_once:
            agent = await agents.get("agents", name) if table is None else table.get(name)
            return name, LiveAgent(agent, await every(grants, name) if sees(agent) else [])

    read, stored = await asyncio.gather(
        asyncio.gather(*(one(name) for name in names)), limits.get("platform", "limits")
    )
    return LivePolicy(dict(read), stored)


def agent_policy(live: LiveAgent) -> dict[str, Any]:
    """In the file's form: who is named by object id, members that are not set left out."""
    assert live.agent is not None  # noqa: S101  only agents that are there are exported
    agent = live.agent.row
    members: dict[str, Any] = {
        "beat_id": agent.beat_id,
        "contact": agent.contact,
        "runners": sorted(one.oid for one in agent.runners),
        "owners": sorted(one.oid for one in agent.owners),
        "access_mode": agent.access_mode,
        "report_only": agent.report_only,
        "max_sessions": agent.max_sessions,
        "max_session_seconds": agent.max_session_seconds,
        "grants": [terms_of(one.row) for one in live.grants],
    }
    return {name: value for name, value in members.items() if value is not None}
