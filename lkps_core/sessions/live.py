"""The port of the sessions' table: rows, and the questions which are live, and which are due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

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

    async def due(self, now: datetime, most: int) -> Sequence[Stored[Session]]:
        """Sessions whose `due_at` has passed, `most` of them, to the second."""
        ...

    async def live_anywhere(self, now: datetime) -> Sequence[Session]:
        """Every agent's: a scan of the whole table, for the kill switch alone."""
        ...
