"""The TrailRows port: canonical rows under their numbers, in the stream's own partition."""

from collections.abc import Sequence

from lkps_core.adapters.tables.account import TablesAccount
from lkps_core.adapters.tables.codec import Entity, table_key
from lkps_core.errors import StorageUnavailable
from lkps_core.ports import AlreadyThere

_TABLE = "audit"


class TableTrailRows:
    def __init__(self, account: TablesAccount) -> None:
        self._account = account
        self._table = account.table(_TABLE)

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

    async def _expect(self, entity: Entity) -> None:
        try:
            there = await self._account.call(
                lambda: self._table.get_entity(entity["PartitionKey"], entity["RowKey"])
            )
        except LookupError as error:
            raise StorageUnavailable(reason="a row of the batch is missing") from error
        if there["row"] != entity["row"]:
            raise StorageUnavailable(reason="the number is taken by another row")


def _entity(stream: str, number: int, row: bytes) -> Entity:
    return {"PartitionKey": table_key(stream), "RowKey": f"{number:012d}", "row": row.decode()}
