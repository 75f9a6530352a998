"""The Index port: entries of one subject in one partition, written over one another."""

from collections.abc import Sequence

from lkps_core.adapters.tables.account import TablesAccount
from lkps_core.adapters.tables.codec import Entity, table_key
from lkps_core.adapters.tables.querying import first
from lkps_core.adapters.tables.transactions import delete_all, put_all
from lkps_core.auditing.index import Entry

_PAGE_SECONDS = 10.0


class TableIndex:
    def __init__(self, account: TablesAccount) -> None:
        self._account = account
        self._table = account.table("auditindex")

    async def put(self, entries: Sequence[Entry]) -> None:
        entities = [{**_key(entry), "row": entry.row} for entry in entries]
        await put_all(self._account, self._table, entities)

    async def page(self, partition: str, *, after: str, before: str, most: int) -> Sequence[Entry]:
        found = await first(
            self._account,
            self._table,
            most,
            "PartitionKey eq @partition and RowKey gt @after and RowKey lt @before",
            {"partition": table_key(partition), "after": after, "before": before},
            _PAGE_SECONDS,
        )
        return [Entry(partition, str(one["RowKey"]), str(one["row"])) for one in found]

    async def remove(self, entries: Sequence[Entry]) -> None:
        await delete_all(self._account, self._table, [_key(entry) for entry in entries])


def _key(entry: Entry) -> Entity:
    return {"PartitionKey": table_key(entry.partition), "RowKey": table_key(entry.key)}
