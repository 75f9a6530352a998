"""What Azurite is to start with: the entities that the product's own adapters make of a trail."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched, groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, TextIO, cast

from dev.bench.history import History, Recorded
from lkps_core.adapters.tables import TableIndex, TableRows, TablesAccount, TableTrailRows
from lkps_core.adapters.tables.codec import Entity
from lkps_core.auditing.index import entries_of
from lkps_core.auditing.indexing import Indexed

_AT_ONCE = 500
_SAMPLES = 4
_UNINDEXED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Contents:
    """`samples` are a few of the indexed rows, spread over them all."""

    path: Path
    entities: int
    samples: Sequence[Recorded]


async def write_contents(path: Path, history: History) -> Contents:
    """The rows, and their index as the timer has left it a minute before the last of them."""
    samples: list[Recorded] = []
    with path.open("w") as file:
        tables = _Tables(file)
        writer = _Writer(cast("TablesAccount", tables))
        for some in batched(history, _AT_ONCE, strict=False):
            old = [one for one in some if one.at <= history.now - _UNINDEXED]
            await writer.record(some)
            await writer.index(old)
            tables.flush()
            samples += old[:1]
        await writer.keep_positions()
        tables.flush()
    return Contents(path, tables.entities, samples[:: max(1, len(samples) // _SAMPLES)])


class _Writer:
    def __init__(self, account: TablesAccount) -> None:
        self._trail = TableTrailRows(account)
        self._index = TableIndex(account)
        self._positions = TableRows(account, "auditindex", Indexed)
        self._indexed: dict[str, int] = {}

    async def record(self, some: Sequence[Recorded]) -> None:
        for stream, group in groupby(sorted(some, key=_PLACE), attrgetter("stream")):
            first, *others = group
            if first.number == 0:
                await self._trail.announce(stream)
            rows = [one.row for one in (first, *others)]
            await self._trail.append(stream, first.number, rows)

    async def index(self, some: Sequence[Recorded]) -> None:
        await self._index.put([entry for one in some for entry in entries_of(one.row)])
        self._indexed |= {one.stream: one.number + 1 for one in some}

    async def keep_positions(self) -> None:
        for stream, number in self._indexed.items():
            await self._positions.add(Indexed(stream, number))


_PLACE = attrgetter("stream", "number")


class _Tables:
    """A TablesAccount whose tables are a file. A line has a row's text and all its places."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._places: defaultdict[str | None, defaultdict[tuple[str, str], list[str]]]
        self._places = defaultdict(lambda: defaultdict(list))
        self.insertion = self
        self.entities = 0

    def table(self, name: str) -> "_Table":
        return _Table(self, name)

    async def call[T](self, operation: Callable[[], Awaitable[T]], _: float = 0) -> T:
        return await operation()

    async def insert(self, table: str, entity: Entity) -> str:
        self._keep(table, entity)
        return ""

    async def insert_all(self, table: str, entities: Iterable[Entity]) -> list[str]:
        return [await self.insert(table, entity) for entity in entities]

    def flush(self) -> None:
        for row, places in self._places.items():
            listed = [(*place, partitions) for place, partitions in places.items()]
            self._file.write(json.dumps({"row": row, "places": listed}) + "\n")
        self._places.clear()

    def _keep(self, table: str, entity: Entity) -> None:
        assert entity.keys() <= {"PartitionKey", "RowKey", "row"}
        place = (table, entity["RowKey"])
        self._places[entity.get("row")][place].append(entity["PartitionKey"])
        self.entities += 1


@dataclass(frozen=True, slots=True)
class _Table:
    tables: _Tables
    name: str

    async def submit_transaction(self, operations: Iterable[tuple[str, Entity, Any]]) -> None:
        for _, entity, _ in operations:
            await self.tables.insert(self.name, entity)
