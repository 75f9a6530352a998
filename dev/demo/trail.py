"""The audit trail as it stands in the tables: read for showing it, not for proving anything."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from azure.data.tables.aio import TableServiceClient

_SHOWN = ("agent_name", "registration_id", "session_id", "participant_identity", "azp", "reason")


async def rows(connection_string: str) -> list[dict[str, Any]]:
    """Every row, by stream and number."""
    async with TableServiceClient.from_connection_string(connection_string) as tables:
        entities = tables.get_table_client("audit").list_entities()
        found = [entity async for entity in entities]
    found.sort(key=lambda entity: (entity["PartitionKey"], entity["RowKey"]))
    return [json.loads(entity["row"]) for entity in found]


def lines(trail: list[dict[str, Any]]) -> Iterator[str]:
    """One line for people a row; the row has more."""
    for row in trail:
        yield f"{row['number']:>3}  {row['at'][11:23]}  {row['action']:<19} {_members(row)}"


def _members(row: Mapping[str, Any]) -> str:
    members = [f"{name}={row[name]}" for name in _SHOWN if name in row]
    if "token_sha256" in row:
        members.append(f"token_sha256={row['token_sha256'][:12]}…")
    return " ".join(members)
