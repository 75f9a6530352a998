"""The Rows port over one table."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from azure.core import MatchConditions
from azure.data.tables import TableEntity, UpdateMode

from lkps_core.adapters.tables.account import CALL_SECONDS, TablesAccount
from lkps_core.adapters.tables.codec import Codec, Entity, table_key
from lkps_core.adapters.tables.commit import GroupCommit
from lkps_core.adapters.tables.querying import first
from lkps_core.errors import StorageUnavailable
from lkps_core.ports import AlreadyThere, Changed, Row, Stored

SCAN_SECONDS = 5.0
"""For a page of a query that looks at the whole table."""


def to_the_second(at: datetime) -> str:
    """A prefix of the times in rows, so that fractions of a second compare rightly."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")


class TableRows[T: Row]:
    """Insertions of one partition at the same moment share a transaction."""

    def __init__(
        self, account: TablesAccount, table: str, kind: type[T], queried: tuple[str, ...] = ()
    ) -> None:
        self._account = account
        self._name = table
        self._table = account.table(table)
        self._codec = Codec(kind, queried)
        self._commit = GroupCommit(self._insert)

    async def get(self, partition: str, key: str) -> Stored[T] | None:
        places = table_key(partition), table_key(key)
        try:
            entity = await self._account.call(lambda: self._table.get_entity(*places))
        except LookupError:
            return None
        return self._stored(entity)

    async def add(self, row: T) -> str:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._commit.add(self._codec.entity(row))
        except TimeoutError as error:
            raise StorageUnavailable(reason="the tables did not answer in time") from error
        except AlreadyThere:
            stored = await self.get(row.partition, row.key)
            if stored is None or stored.row != row:
                raise
            return stored.etag  # this very row: an insertion whose answer was lost

    async def replace(self, row: T, etag: str) -> str:
        entity = self._codec.entity(row)
        try:
            written = await self._account.call(
                lambda: self._table.update_entity(
                    entity,
                    mode=UpdateMode.REPLACE,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            )
        except (Changed, LookupError):
            stored = await self.get(row.partition, row.key)
            if stored is None or stored.row != row:
                raise Changed from None
            return stored.etag
        return str(written["etag"])

    async def remove(self, row: T, etag: str) -> None:
        entity = {"PartitionKey": table_key(row.partition), "RowKey": table_key(row.key)}
        await self._account.call(  # the library takes "not found" for a success
            lambda: self._table.delete_entity(
                entity, etag=etag, match_condition=MatchConditions.IfNotModified
            )
        )

    async def page(
        self, partition: str, *, after: str = "", before: str = "", most: int = 1000
    ) -> Sequence[Stored[T]]:
        query = "PartitionKey eq @partition and RowKey gt @after"
        parameters = {"partition": table_key(partition), "after": after and table_key(after)}
        if before:
            query += " and RowKey lt @before"
            parameters["before"] = before
        return await self._first(most, query, parameters)

    async def _first(
        self,
        most: int | None,
        query: str,
        parameters: dict[str, str],
        seconds: float = CALL_SECONDS,
    ) -> list[Stored[T]]:
        found = await first(self._account, self._table, most, query, parameters, seconds)
        return [self._stored(entity) for entity in found]

    def _stored(self, entity: TableEntity) -> Stored[T]:
        return Stored(self._codec.row(entity), str(entity.metadata["etag"]))

    async def _insert(self, entities: Sequence[Entity]) -> Sequence[str | Exception]:
        """One row as a plain insertion, several as a transaction; each its own where that fails."""
        if len(entities) > 1:
            try:
                insertion = self._account.insertion
                return await self._account.call(lambda: insertion.insert_all(self._name, entities))
            except AlreadyThere:  # which one, and what of the others, is learnt one by one
                pass
            except StorageUnavailable as error:
                return [error] * len(entities)
        return await asyncio.gather(*(self._insert_one(entity) for entity in entities))

    async def _insert_one(self, entity: Entity) -> str | Exception:
        insertion = self._account.insertion
        try:
            return await self._account.call(lambda: insertion.insert(self._name, entity))
        except (AlreadyThere, StorageUnavailable) as error:
            return error
