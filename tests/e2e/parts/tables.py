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

    async def rows(self, table: str, partition: str | None = None) -> list[Row]:
        """All rows in the order of their keys; none while there is no such table."""
        client = self._service.get_table_client(table)
        entities = (
            client.list_entities()
            if partition is None
            else client.query_entities("PartitionKey eq @p", parameters={"p": partition})
        )
        try:
            return [_row(entity) async for entity in entities]
        except ResourceNotFoundError:
            return []

    async def sessions(self, agent_name: str) -> list[Row]:
        return await self.rows("sessions", agent_name)

    async def registrations(self, agent_name: str) -> list[Row]:
        return await self.rows("registrations", agent_name)

    async def agent(self, name: str) -> Row | None:
        return next((row for row in await self.rows("agents") if row["name"] == name), None)

    async def trail(self, **members: str) -> list[Row]:
        """The trail's rows that have these members, in the order in which they were numbered."""
        return [
            row
            for row in await self.rows("audit")
            if all(row.get(name) == value for name, value in members.items())
        ]

    async def require_gapless_streams(self) -> None:
        """Every stream's numbers run from 0, each once, and each row says its own."""
        rows = await self.rows("audit")
        for stream, of_stream in itertools.groupby(rows, key=lambda row: row["PartitionKey"]):
            numbers = [(int(row["RowKey"]), row["number"]) for row in of_stream]
            assert numbers == [(n, n) for n in range(len(numbers))], f"{stream}: {numbers}"


def _row(entity: TableEntity) -> Row:
    members: Row = json.loads(entity["row"])
    return {"PartitionKey": entity["PartitionKey"], "RowKey": entity["RowKey"], **members}


@asynccontextmanager
async def reading(platform: Platform) -> AsyncIterator[Tables]:
    connection = platform.azurite.connection_string
    async with TableServiceClient.from_connection_string(connection) as service:
        yield Tables(service)
