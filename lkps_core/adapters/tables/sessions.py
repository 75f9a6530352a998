"""The Sessions port over its table."""

from collections.abc import Sequence
from datetime import datetime

from lkps_core.adapters.tables.account import TablesAccount
from lkps_core.adapters.tables.rows import SCAN_SECONDS, TableRows, to_the_second
from lkps_core.ports import Stored
from lkps_core.sessions.model import Session


class TableSessions(TableRows[Session]):
    def __init__(self, account: TablesAccount) -> None:
        super().__init__(
            account, "sessions", Session, queried=("live_until", "due_at", "started_by")
        )

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

    async def of_agent(
        self,
        agent_name: str,
        *,
        after: str,
        most: int,
        started_by: str | None = None,
        are_live: bool = False,
    ) -> Sequence[Session]:
        query = "PartitionKey eq @agent_name and RowKey gt @after"
        parameters = {"agent_name": agent_name, "after": after}
        if started_by is not None:
            query += " and started_by eq @started_by"
            parameters["started_by"] = started_by
        if are_live:
            query += " and live_until gt ''"
        found = await self._first(most, query, parameters, SCAN_SECONDS)
        return [stored.row for stored in found]

    async def due(self, now: datetime, most: int) -> Sequence[Stored[Session]]:
        return await self._first(most, "due_at lt @now", {"now": to_the_second(now)}, SCAN_SECONDS)

    async def live_anywhere(self, now: datetime) -> Sequence[Session]:
        found = await self._first(
            None, "live_until ge @now", {"now": to_the_second(now)}, SCAN_SECONDS
        )
        return [stored.row for stored in found if now < stored.row.ends_at]
