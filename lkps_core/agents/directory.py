"""Which agents there are and which of their instances are online, as the hot paths read it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from lkps_core.agents.model import Agent, Registration
from lkps_core.agents.registrations import Registrations
from lkps_core.freshness import Fresh, Read
from lkps_core.ports import Clock, Rows, Stored

MOST_INSTANCES = 200
"""Live instances of an agent that are told apart; for a start, one is enough."""


class Directory:
    """Reads through a memory of at most 5 s; what this process writes, it sees at once."""

    def __init__(
        self,
        agents: Rows[Agent],
        registrations: Registrations,
        clock: Clock,
        monotonic: Callable[[], float],
    ) -> None:
        async def read_agent(name: str) -> Stored[Agent] | None:
            return await agents.get("agents", name)

        async def read_instances(name: str) -> Sequence[Registration]:
            return await registrations.live(name, clock(), MOST_INSTANCES)

        self._agents = Fresh[str, Stored[Agent] | None](read_agent, monotonic)
        self._instances = Fresh[str, Sequence[Registration]](read_instances, monotonic)

    async def agent(self, name: str) -> Agent | None:
        stored = await self._agents.get(name)
        return stored.row if stored else None

    async def agent_now(self, name: str) -> Stored[Agent] | None:
        """As it stands in the table: what a refusal or a change is decided on."""
        return await self._agents.read(name)

    def remembered(self, name: str) -> Read[Stored[Agent] | None] | None:
        """The agent's row as `agent` would have it from memory; None when it would read."""
        return self._agents.peek(name)

    def keep(self, name: str) -> None:
        """The agent's row is in use: refresh it in the background before it is too old."""
        self._agents.keep(name)

    async def online_now(self, name: str, now: datetime) -> list[Registration]:
        """As `online`, read anew."""
        return [one for one in await self._instances.read(name) if one.is_live(now)]

    async def online(self, name: str, now: datetime) -> list[Registration]:
        """The agent's instances whose lease is running."""
        was_held = self._instances.holds(name)
        live = [one for one in await self._instances.get(name) if one.is_live(now)]
        if not live and was_held:
            return await self.online_now(name, now)
        return live

    def forget_agent(self, name: str) -> None:
        self._agents.forget(name)

    def forget_instances(self, name: str) -> None:
        self._instances.forget(name)
