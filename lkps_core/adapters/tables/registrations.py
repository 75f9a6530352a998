"""The Registrations port over its table."""

from collections.abc import Sequence
from datetime import datetime

from lkps_core.adapters.tables.account import TablesAccount
from lkps_core.adapters.tables.rows import SCAN_SECONDS, TableRows, to_the_second
from lkps_core.agents.model import Registration
from lkps_core.ports import Stored


class TableRegistrations(TableRows[Registration]):
    def __init__(self, account: TablesAccount) -> None:
        super().__init__(account, "registrations", Registration, queried=("lease_until",))

    async def live(self, agent_name: str, now: datetime, most: int) -> Sequence[Registration]:
        found = await self._first(
            most,
            "PartitionKey eq @agent_name and lease_until ge @second",
            {"agent_name": agent_name, "second": to_the_second(now)},
        )
        return [stored.row for stored in found if stored.row.is_live(now)]

    async def lapsed(self, before: datetime, most: int) -> Sequence[Stored[Registration]]:
        return await self._first(
            most, "lease_until lt @before", {"before": to_the_second(before)}, SCAN_SECONDS
        )
