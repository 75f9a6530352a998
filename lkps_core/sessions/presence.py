"""What a caller is told of a session's agent: as its row, its room and the leases have it."""

import asyncio

from lkps_core.agents.directory import Directory
from lkps_core.ports import Clock, Rooms
from lkps_core.sessions.model import GRACE, Session
from lkps_core.wire.sessions import AgentStatus

LOOK_EVERY = 0.15
"""Seconds between two looks while a caller waits for its agent."""


class Presence:
    def __init__(self, directory: Directory, rooms: Rooms, clock: Clock) -> None:
        self._directory = directory
        self._rooms = rooms
        self._clock = clock

    async def of(self, session: Session) -> AgentStatus:
        """The agent's state, of a session whose room was looked at just now."""
        if session.state != "open" or session.agent_state == "left":
            return "left"
        if session.agent_state == "joined":
            return "joined"
        now = self._clock()
        if not await self._directory.online(session.agent_name, now):
            return "offline"
        return "dispatched" if now - session.agent_changed_at < GRACE else "absent"

    async def wait(self, session: Session, seconds: int) -> AgentStatus:
        """The agent's state once it is in the room, or else when the seconds are over.

        An instance that goes offline meanwhile, or an agent that does not come, ends the waiting.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not await self._is_there(session):
            status = await self.of(session)
            if status != "dispatched" or loop.time() >= deadline:
                return status
            await asyncio.sleep(LOOK_EVERY)
        return "joined"

    async def _is_there(self, session: Session) -> bool:
        view = await self._rooms.look(session.room_name)
        return view is not None and bool(view.agents)
