"""The port of the sessions' table: rows, and the question which of them are live."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from lkps_core.ports import Rows
from lkps_core.sessions.model import Session


class Sessions(Rows[Session], Protocol):
    async def live_of(self, agent_name: str, now: datetime) -> Sequence[Session]:
        """The agent's sessions that have neither ended nor outlived their longest duration."""
        ...

    async def live_anywhere(self, now: datetime) -> Sequence[Session]:
        """Every agent's: a scan of the whole table, for the kill switch alone."""
        ...
