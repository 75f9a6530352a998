"""The port of the registrations' table: rows, and the question which of them are live."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from lkps_core.agents.model import Registration
from lkps_core.ports import Rows, Stored


class Registrations(Rows[Registration], Protocol):
    async def live(self, agent_name: str, now: datetime, most: int) -> Sequence[Registration]:
        """The agent's registrations whose lease is running, `most` of them at the most.

        What it costs depends on them alone: leases that have ended may be many.
        """
        ...

    async def lapsed(self, before: datetime, most: int) -> Sequence[Stored[Registration]]:
        """Registrations of any agent whose lease had ended by then, `most` of them."""
        ...
