"""The Sessions port over its table."""

from collections.abc import Sequence

from lkps_core.adapters.tables.account import TablesAccount
from lkps_core.adapters.tables.rows import TableRows
from lkps_core.sessions.model import Session


class TableSessions(TableRows[Session]):
    def __init__(self, account: TablesAccount) -> None:
        super().__init__(account, "sessions", Session, queried=("state",))

    async def unended_of(self, agent_name: str) -> Sequence[Session]:
        found = await self._first(
            None,
            "PartitionKey eq @agent_name and state ne @over",
            agent_name=agent_name,
            over="ended",
        )
        return [stored.row for stored in found]

    async def unended_anywhere(self) -> Sequence[Session]:
        return [stored.row for stored in await self._first(None, "state ne @over", over="ended")]
