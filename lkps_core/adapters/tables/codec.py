"""Rows as entities: the whole row as JSON in one property, beside it those that queries ask for.

A property costs the library and the service as much as a hundred bytes of JSON do.
"""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from lkps_core.ports import Row

type Entity = dict[str, Any]

_KEY = re.compile(r"[0-9A-Za-z_.:-]{1,512}")


def table_key(text: str) -> str:
    """The text as a key; ValueError unless it is one that every table takes and none misreads."""
    if not _KEY.fullmatch(text):
        raise ValueError("not a table key")
    return text


class Codec[T: Row]:
    """`queried` names the members that become properties; times are texts that sort."""

    def __init__(self, kind: type[T], queried: tuple[str, ...] = ()) -> None:
        self._adapter = TypeAdapter(kind)
        self._queried = queried
        hints = get_type_hints(kind)
        self._times = [
            member.name
            for member in fields(kind)  # type: ignore[arg-type]
            if hints[member.name] in (datetime, datetime | None)
        ]

    def entity(self, row: T) -> Entity:
        entity: Entity = {"PartitionKey": table_key(row.partition), "RowKey": table_key(row.key)}
        for name in self._queried:
            value: datetime | str | None = getattr(row, name)
            entity[name] = value.isoformat() if isinstance(value, datetime) else value or ""
        entity["row"] = self._adapter.dump_json(row).decode()
        return entity

    def row(self, entity: Entity) -> T:
        row = self._adapter.validate_json(entity["row"])
        return replace(row, **self._in_utc(row))  # type: ignore[type-var]

    def _in_utc(self, row: T) -> dict[str, datetime]:
        """The row's times with Python's own UTC: with pydantic's, each comparison takes a µs."""
        times = ((name, getattr(row, name)) for name in self._times)
        return {name: at.astimezone(UTC) for name, at in times if at is not None}
