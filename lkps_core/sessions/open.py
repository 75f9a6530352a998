"""The port of the sessions' table: rows, and the question which of them are open."""

from collections.abc import Sequence
from typing import Protocol

from lkps_core.ports import Rows
from lkps_core.sessions.model import Session


class Sessions(Rows[Session], Protocol):
    async def open_of(self, agent_name: str) -> Sequence[Session]:
        """Every session of the agent whose row says `open`, in one reading."""
        ...

    async def open_anywhere(self) -> Sequence[Session]:
        """Every session whose row says `open`: a scan, for the kill switch alone."""
        ...
