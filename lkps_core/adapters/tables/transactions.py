"""Many entities written over what is there, or deleted: each partition in as few transactions.

A transaction is of one partition, has a hundred entities and 4 MB at the most, and each key once
("Performing entity group transactions" in the REST reference of the Table service).
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial

from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient

from lkps_core.adapters.tables.account import TablesAccount
from lkps_core.adapters.tables.codec import Entity
from lkps_core.errors import StorageUnavailable
from lkps_core.ports import AlreadyThere, Changed

MOST_ENTITIES = 100
MOST_BYTES = 900_000
"""Of the entities alone: with what stands around each of them the body stays below a mebibyte,
above which aiohttp warns that it holds up the event loop."""

_PARTITIONS_AT_ONCE = 16
_SECONDS = 10.0

type _Submit = Callable[[Sequence[Entity]], Awaitable[None]]


async def put_all(account: TablesAccount, table: TableClient, entities: Iterable[Entity]) -> None:
    """Of two entities with one key the later one stays."""

    async def put(some: Sequence[Entity]) -> None:
        await table.submit_transaction(
            [("upsert", entity, {"mode": UpdateMode.REPLACE}) for entity in some]
        )

    await _submit_all(account, entities, put)


async def delete_all(account: TablesAccount, table: TableClient, keys: Iterable[Entity]) -> None:
    """Those that are gone are gone."""

    async def delete(some: Sequence[Entity]) -> None:
        try:
            await table.submit_transaction([("delete", key) for key in some])
        except TableTransactionError:  # one that is gone refuses all, so each has its own request
            for key in some:
                await table.delete_entity(key)

    await _submit_all(account, keys, delete)


async def _submit_all(account: TablesAccount, entities: Iterable[Entity], submit: _Submit) -> None:
    partitions: defaultdict[str, dict[str, Entity]] = defaultdict(dict)
    for entity in entities:
        partitions[entity["PartitionKey"]][entity["RowKey"]] = entity
    turn = asyncio.Semaphore(_PARTITIONS_AT_ONCE)

    async def submit_partition(rows: Iterable[Entity]) -> None:
        async with turn:
            for some in transactions(rows):
                await account.call(partial(submit, some), _SECONDS)

    outcomes = await asyncio.gather(
        *(submit_partition(rows.values()) for rows in partitions.values()), return_exceptions=True
    )
    for outcome in outcomes:  # once nothing is on its way any more
        if isinstance(outcome, AlreadyThere | Changed | LookupError):
            raise StorageUnavailable(reason="the tables refused a transaction") from outcome
        if outcome is not None:
            raise outcome


def transactions(entities: Iterable[Entity]) -> Iterator[list[Entity]]:
    some: list[Entity] = []
    size = 0
    for entity in entities:
        own = len(json.dumps(entity))
        if some and (len(some) == MOST_ENTITIES or size + own > MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(entity)
        size += own
    if some:
        yield some
