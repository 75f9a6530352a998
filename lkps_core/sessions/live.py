"""The port of the sessions' table: rows, and the questions whose, which live and which due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from lkps_core.agents.names import agent_name_in
from lkps_core.ports import Rows, Stored
from lkps_core.sessions.model import Session


class Sessions(Rows[Session], Protocol):
    async def live_of(self, agent_name: str, now: datetime) -> Sequence[Session]:
        """The agent's sessions that have neither ended nor outlived their longest duration."""
        ...

    async def live_after(
        self, agent_name: str, session_id: str, *, most: int
    ) -> Sequence[Stored[Session]]:
        """The first `most` sessions after that one, by agent and id, which have not ended."""
        ...

    async def of_agent(
        self,
        agent_name: str,
        *,
        after: str,
        most: int,
        started_by: str | None = None,
        are_live: bool = False,
    ) -> Sequence[Session]:
        """The first `most` of the agent's sessions whose ids come after that one.

        `started_by` names the only starter whose sessions count (`starter_key`); with `are_live`
        those that have ended do not.
        """
        ...

    async def due(self, now: datetime, most: int) -> Sequence[Stored[Session]]:
        """Sessions whose `due_at` has passed, `most` of them, to the second."""
        ...

    async def live_anywhere(self, now: datetime) -> Sequence[Session]:
        """Every agent's: a scan of the whole table, for the kill switch alone."""
        ...


async def find(sessions: Rows[Session], session_id: str) -> Stored[Session] | None:
    """The session of that id; None for what is no session's id, which costs no call."""
    name = agent_name_in(session_id)
    return await sessions.get(name, session_id) if name else None
