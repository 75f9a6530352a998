"""Whether a session's agent is in its room, as LiveKit's participant list and leases tell it."""

import asyncio
from datetime import timedelta

from lkps_core.agents.directory import Directory
from lkps_core.ports import Clock, Rooms
from lkps_core.sessions.model import Session
from lkps_core.wire.sessions import AgentStatus

GRACE = timedelta(seconds=10)
"""How long a dispatched agent may take: LiveKit waits so long for a worker to accept the job."""

LOOK_EVERY = 0.15
"""Seconds between two looks while a caller waits for its agent."""


class Presence:
    def __init__(self, directory: Directory, rooms: Rooms, clock: Clock) -> None:
        self._directory = directory
        self._rooms = rooms
        self._clock = clock

    async def of(self, session: Session) -> AgentStatus:
        """The agent's state of an open session, asked of LiveKit now."""
        participants = await self._rooms.participants(session.room_name)
        if any(one.is_agent and one.agent_name == session.agent_name for one in participants):
            return "joined"
        now = self._clock()
        if not await self._directory.online(session.agent_name, now):
            return "offline"
        return "dispatched" if now - session.created_at < GRACE else "absent"

    async def wait(self, session: Session, seconds: int) -> AgentStatus:
        """As `of`, asked again until the agent is there or the seconds are over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        status = await self.of(session)
        while status == "dispatched" and loop.time() < deadline:
            await asyncio.sleep(LOOK_EVERY)
            status = await self.of(session)
        return status
