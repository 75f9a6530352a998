"""Group commit: what waits for one partition goes out together, in one entity-group transaction."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from lkps_core.adapters.tables.codec import Entity

BATCH = 16
"""Rows in a transaction: few enough that while one is on its way the next is being gathered."""

type Insert = Callable[[Sequence[Entity]], Awaitable[Sequence[str | Exception]]]
"""Insert all; for each its ETag or what became of it."""


@dataclass(slots=True)
class _Waiting:
    entity: Entity
    done: asyncio.Future[str]


class GroupCommit:
    """One writer for each partition that has something to write, and none for the others."""

    def __init__(self, insert: Insert) -> None:
        self._insert = insert
        self._waiting: dict[str, deque[_Waiting]] = {}
        self._writers: dict[str, asyncio.Task[None]] = {}

    async def add(self, entity: Entity) -> str:
        """Return the ETag once the row is durable."""
        partition = entity["PartitionKey"]
        waiting = _Waiting(entity, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(partition, deque()).append(waiting)
        if partition not in self._writers:
            self._writers[partition] = asyncio.create_task(self._write(partition))
        return await waiting.done

    async def _write(self, partition: str) -> None:
        queue = self._waiting[partition]
        try:
            while batch := _next_batch(queue):
                outcomes = await self._insert([waiting.entity for waiting in batch])
                for waiting, outcome in zip(batch, outcomes, strict=True):
                    _tell(waiting, outcome)
        finally:
            del self._writers[partition], self._waiting[partition]


def _next_batch(queue: deque[_Waiting]) -> list[_Waiting]:
    """Those whose caller still waits, each row once: the service refuses a key that comes twice."""
    batch: dict[str, _Waiting] = {}
    later: list[_Waiting] = []
    while queue and len(batch) < BATCH:
        waiting = queue.popleft()
        if waiting.done.done():
            continue
        if waiting.entity["RowKey"] in batch:
            later.append(waiting)
        else:
            batch[waiting.entity["RowKey"]] = waiting
    queue.extendleft(reversed(later))
    return [*batch.values()]


def _tell(waiting: _Waiting, outcome: str | Exception) -> None:
    if waiting.done.done():
        return
    if isinstance(outcome, str):
        waiting.done.set_result(outcome)
    else:
        waiting.done.set_exception(outcome)
