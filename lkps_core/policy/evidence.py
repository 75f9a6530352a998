"""What a decision is made of, read: from a memory of at most 5 s, or from the tables as they are.

A reading of the tables costs the same calls for every agent and every caller, whatever it finds:
how long a refusal takes does not tell whether there is an agent.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent, Registration
from lkps_core.freshness import OLDEST, Fresh, Read
from lkps_core.identity.principal import Principal
from lkps_core.policy.model import Blocks, Grant, PlatformLimits, Revocation
from lkps_core.ports import Rows
from lkps_core.ranges import every

_ALL = "all"

type _Client = tuple[str, str, str]
"""Agent name, tenant and client application."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`began` is the monotonic moment at which the oldest reading began.

    `online` is the reading of the agent's live instances where it was begun along, else None: it
    is awaited by whoever goes ahead, for how long it takes tells how many there are.
    """

    agent: Agent | None
    grants: Sequence[Grant]
    blocks: Blocks
    limits: PlatformLimits
    began: float
    online: asyncio.Future[list[Registration]] | None = None

    @property
    def counts_sessions(self) -> bool:
        """Whether a decision needs to know how many sessions are open."""
        return (
            self.limits.max_sessions_per_agent is not None
            or (self.agent is not None and self.agent.max_sessions is not None)
            or any(grant.max_sessions is not None for grant in self.grants)
        )


@dataclass(frozen=True, slots=True)
class _Grants:
    """One client application's; an object even when there are none, so that this is remembered."""

    rows: tuple[Grant, ...]


class Evidences:
    """Reads for a decision; what this process changes it sees at once."""

    def __init__(
        self,
        directory: Directory,
        grants: Rows[Grant],
        revocations: Rows[Revocation],
        limits: Rows[PlatformLimits],
        monotonic: Callable[[], float],
    ) -> None:
        async def read_grants(client: _Client) -> _Grants:
            agent_name, tid, azp = client
            return _Grants(tuple(await grants_of(grants, agent_name, tid, azp)))

        async def read_blocks(_: str) -> Blocks:
            return Blocks([stored.row for stored in await every(revocations, "revocation")])

        async def read_limits(_: str) -> PlatformLimits:
            stored = await limits.get("platform", "limits")
            return stored.row if stored else PlatformLimits()

        self._directory = directory
        self._monotonic = monotonic
        self._grants = Fresh[_Client, _Grants](read_grants, monotonic)
        self._blocks = Fresh[str, Blocks](read_blocks, monotonic)
        self._limits = Fresh[str, PlatformLimits](read_limits, monotonic)

    def remembered(self, caller: Principal, agent_name: str) -> Evidence | None:
        """All that is needed, from memory; None when a part of it is not there.

        Nothing is refreshed by it, lest what is remembered of an agent costs a stranger's refusal
        a reading more; whoever goes ahead on it calls `keep`.
        """
        agent = self._directory.remembered(agent_name)
        blocks, limits = self._blocks.peek(_ALL), self._limits.peek(_ALL)
        if agent is None or agent.value is None or blocks is None or limits is None:
            return None
        row = agent.value.row
        grants: Read[_Grants] | None = Read(_NONE, agent.began)
        if row.access_mode == "granted":
            grants = self._grants.peek((agent_name, caller.tid, caller.azp))
        if grants is None:
            return None
        began = min(one.began for one in (agent, blocks, limits, grants))
        return Evidence(row, grants.value.rows, blocks.value, limits.value, began)

    def keep(self, caller: Principal, evidence: Evidence) -> None:
        """It is in use: refresh in the background what will soon be too old."""
        if evidence.agent is None:
            return
        self._directory.keep(evidence.agent.name)
        self._blocks.keep(_ALL)
        self._limits.keep(_ALL)
        if evidence.agent.access_mode == "granted":
            self._grants.keep((evidence.agent.name, caller.tid, caller.azp))

    async def now(self, caller: Principal, agent_name: str, at: datetime) -> Evidence:
        """All of it as it stands in the tables, in one round trip."""
        began = self._monotonic()
        online = asyncio.ensure_future(self._directory.online_now(agent_name, at))
        online.add_done_callback(_look_at_its_exception)
        agent, grants, blocks, limits = await asyncio.gather(
            self._directory.agent_now(agent_name),
            self._grants.read((agent_name, caller.tid, caller.azp)),
            self._blocks.read(_ALL),
            self._limits.read(_ALL),
        )
        return Evidence(agent.row if agent else None, grants.rows, blocks, limits, began, online)

    def is_too_old(self, began: float) -> bool:
        """Whether evidence whose reading began then must not decide any more."""
        return self._monotonic() - began >= OLDEST

    async def blocks(self) -> Blocks:
        """At most 5 s old."""
        return await self._blocks.get(_ALL)

    async def blocks_now(self) -> Blocks:
        return await self._blocks.read(_ALL)

    def last_limits(self) -> PlatformLimits:
        """As they were last seen: for what is decided before anything is read."""
        return self._limits.last(_ALL) or PlatformLimits()

    def renew_limits(self) -> None:
        self._limits.renew(_ALL)

    def forget_grants(self, grant: Grant) -> None:
        self._grants.forget((grant.agent_name, grant.tid, grant.client_app_id))

    def forget_blocks(self) -> None:
        self._blocks.forget(_ALL)

    def know_limits(self, limits: PlatformLimits) -> None:
        """This process has just written them."""
        self._limits.know(_ALL, limits)


_NONE = _Grants(())


def _look_at_its_exception(reading: asyncio.Future[list[Registration]]) -> None:
    """Nobody else does when the caller is refused."""
    with suppress(asyncio.CancelledError):
        reading.exception()


async def grants_of(grants: Rows[Grant], agent_name: str, tid: str, azp: str) -> list[Grant]:
    """One client application's grants on an agent: one range, whatever others there are."""
    prefix = f"{tid}:{azp}"
    stored = await every(grants, agent_name, after=f"{prefix}:", before=f"{prefix};")
    return [one.row for one in stored]
