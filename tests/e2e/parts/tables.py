"""The service's tables as its auditor would read them: what is durable, and nothing else."""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableEntity
from azure.data.tables.aio import TableServiceClient

from dev.platform import Platform

type Row = dict[str, Any]


class Tables:
    def __init__(self, service: TableServiceClient) -> None:
        self._service = service

    async def rows(self, table: str, partition: str | None = None) -> list[TableEntity]:
        """All rows in the order of their keys; none while there is no such table."""
        client = self._service.get_table_client(table)
        entities = (
            client.list_entities()
            if partition is None
            else client.query_entities("PartitionKey eq @p", parameters={"p": partition})
        )
        try:
            return [entity async for entity in entities]
        except ResourceNotFoundError:
            return []

    async def sessions(self, agent_name: str) -> list[TableEntity]:
        return await self.rows("sessions", agent_name)

    async def agent(self, name: str) -> TableEntity | None:
        agents = {row["RowKey"]: row for row in await self.rows("agents")}
        return agents.get(name)

    async def trail(self, **members: str) -> list[Row]:
        """The trail's rows that have these members, in the order in which they were numbered."""
        rows = [json.loads(entity["row"]) for entity in await self.rows("audit")]
        return [
            row for row in rows if all(row.get(name) == value for name, value in members.items())
        ]

    async def require_gapless_streams(self) -> None:
        """Every stream's numbers run from 0, each once, and each row says its own."""
        entities = await self.rows("audit")
        streams = itertools.groupby(entities, key=lambda entity: str(entity["PartitionKey"]))
        for stream, rows in streams:
            numbers = [(int(row["RowKey"]), json.loads(row["row"])["number"]) for row in rows]
            assert numbers == [(n, n) for n in range(len(numbers))], f"{stream}: {numbers}"


@asynccontextmanager
async def reading(platform: Platform) -> AsyncIterator[Tables]:
    connection = platform.azurite.connection_string
    async with TableServiceClient.from_connection_string(connection) as service:
        yield Tables(service)
