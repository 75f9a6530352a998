"""The Sessions port over its table."""

from collections.abc import Sequence
from datetime import datetime

from lkps_core.adapters.tables.account import TablesAccount
from lkps_core.adapters.tables.rows import SCAN_SECONDS, TableRows, to_the_second
from lkps_core.ports import Stored
from lkps_core.sessions.model import Session


class TableSessions(TableRows[Session]):
    def __init__(self, account: TablesAccount) -> None:
        super().__init__(account, "sessions", Session, queried=("live_until", "due_at"))

    async def live_of(self, agent_name: str, now: datetime) -> Sequence[Session]:
        found = await self._first(
            None,
            "PartitionKey eq @agent_name and live_until ge @now",
            {"agent_name": agent_name, "now": to_the_second(now)},
        )
        return [stored.row for stored in found if now < stored.row.ends_at]

    async def live_after(
        self, agent_name: str, session_id: str, *, most: int
    ) -> Sequence[Stored[Session]]:
        return await self._first(
            most,
            "live_until gt '' and ( PartitionKey gt @agent_name"
            " or ( PartitionKey eq @agent_name and RowKey gt @session_id ) )",
            {"agent_name": agent_name, "session_id": session_id},
            SCAN_SECONDS,
        )

    async def due(self, now: datetime, most: int) -> Sequence[Stored[Session]]:
        return await self._first(most, "due_at lt @now", {"now": to_the_second(now)}, SCAN_SECONDS)

    async def live_anywhere(self, now: datetime) -> Sequence[Session]:
        found = await self._first(
            None, "live_until ge @now", {"now": to_the_second(now)}, SCAN_SECONDS
        )
        return [stored.row for stored in found if now < stored.row.ends_at]
