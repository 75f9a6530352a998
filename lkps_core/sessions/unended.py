"""The port of the sessions' table: rows, and the question which of them have not ended."""

from collections.abc import Sequence
from typing import Protocol

from lkps_core.ports import Rows
from lkps_core.sessions.model import Session


class Sessions(Rows[Session], Protocol):
    async def unended_of(self, agent_name: str) -> Sequence[Session]:
        """Every session of the agent whose row does not say `ended`, in one reading."""
        ...

    async def unended_anywhere(self) -> Sequence[Session]:
        """Every session whose row does not say `ended`: a scan, for the kill switch alone."""
        ...
