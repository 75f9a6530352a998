"""Memory ports that stop or take their time at what only policy asks of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import override

from lkps_core.agents.model import Registration
from lkps_core.sessions.model import Session
from tests.builders.stepping import SteppingRegistrations, SteppingRooms, SteppingSessions


class SteppingOpenSessions(SteppingSessions):
    """One process's way to the sessions, its question which are open included."""

    @override
    async def live_of(self, agent_name: str, now: datetime) -> Sequence[Session]:
        return await self._around(
            "live_of", lambda: super(SteppingSessions, self).live_of(agent_name, now)
        )


class SteppingLiveRegistrations(SteppingRegistrations):
    """One process's way to the registrations, its question which are live included."""

    @override
    async def live(self, agent_name: str, now: datetime, most: int) -> Sequence[Registration]:
        return await self._around(
            "live", lambda: super(SteppingRegistrations, self).live(agent_name, now, most)
        )


class SteppingStandingRooms(SteppingRooms):
    """One process's way to LiveKit, its question which rooms there are included."""

    @override
    async def standing(self, room_names: Collection[str]) -> frozenset[str]:
        await self.steps.around("standing", "before")
        there = await super().standing(room_names)
        await self.steps.around("standing", "after")
        return there
