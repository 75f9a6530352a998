"""The TrailRows port: canonical rows under their numbers, in the stream's own partition."""

from collections.abc import Sequence

from lkps_core.adapters.tables import querying
from lkps_core.adapters.tables.account import TablesAccount
from lkps_core.adapters.tables.codec import Entity, table_key
from lkps_core.adapters.tables.transactions import delete_all
from lkps_core.errors import StorageUnavailable
from lkps_core.ports import AlreadyThere

_TABLE, _STREAMS = "audit", "auditstreams"
_PAGE_SECONDS = 10.0


class TableTrailRows:
    def __init__(self, account: TablesAccount) -> None:
        self._account = account
        self._table = account.table(_TABLE)
        self._announced = account.table(_STREAMS)

    async def announce(self, stream: str) -> None:
        entity = _announcement(stream)
        try:
            await self._account.call(lambda: self._account.insertion.insert(_STREAMS, entity))
        except AlreadyThere:
            return

    async def append(self, stream: str, first: int, rows: Sequence[bytes]) -> None:
        entities = [_entity(stream, number, row) for number, row in enumerate(rows, first)]
        insertion = self._account.insertion
        try:
            if len(entities) == 1:
                await self._account.call(lambda: insertion.insert(_TABLE, entities[0]))
            else:
                await self._account.call(lambda: insertion.insert_all(_TABLE, entities))
        except AlreadyThere:  # an earlier attempt whose answer was lost
            for entity in entities:
                await self._expect(entity)

    async def streams(self, day: str) -> Sequence[str]:
        found = await querying.first(
            self._account,
            self._announced,
            None,
            "PartitionKey eq @day",
            {"day": table_key(day)},
            _PAGE_SECONDS,
        )
        return [str(entity["RowKey"]) for entity in found]

    async def page(
        self, stream: str, first: int = 0, most: int = 1000
    ) -> Sequence[tuple[int, bytes]]:
        found = await querying.first(
            self._account,
            self._table,
            most,
            "PartitionKey eq @stream and RowKey ge @first",
            {"stream": table_key(stream), "first": f"{first:012d}"},
            _PAGE_SECONDS,
        )
        return [(int(entity["RowKey"]), str(entity["row"]).encode()) for entity in found]

    async def next_day(self, after: str = "") -> str | None:
        query, parameters = "PartitionKey gt @after", {"after": after}
        found = await querying.first(
            self._account, self._announced, 1, query, parameters, _PAGE_SECONDS
        )
        return str(found[0]["PartitionKey"]) if found else None

    async def remove(self, stream: str) -> None:
        while rows := await self.page(stream):
            keys = [_key(stream, number) for number, _ in rows]
            await delete_all(self._account, self._table, keys)
        await self._account.call(lambda: self._announced.delete_entity(_announcement(stream)))

    async def _expect(self, entity: Entity) -> None:
        try:
            there = await self._account.call(
                lambda: self._table.get_entity(entity["PartitionKey"], entity["RowKey"])
            )
        except LookupError as error:
            raise StorageUnavailable(reason="a row of the batch is missing") from error
        if there["row"] != entity["row"]:
            raise StorageUnavailable(reason="the number is taken by another row")


def _announcement(stream: str) -> Entity:
    return {"PartitionKey": table_key(stream[:10]), "RowKey": table_key(stream)}


def _key(stream: str, number: int) -> Entity:
    return {"PartitionKey": table_key(stream), "RowKey": f"{number:012d}"}


def _entity(stream: str, number: int, row: bytes) -> Entity:
    return {**_key(stream, number), "row": row.decode()}
