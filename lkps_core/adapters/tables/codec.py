"""Rows as entities: a property a member, what is not plain as JSON, nothing for None."""

import json
import re
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from lkps_core.ports import Row

type Entity = dict[str, Any]

_KEY = re.compile(r"[0-9A-Za-z_.:-]{1,512}")
_JSON = "_json"


def table_key(text: str) -> str:
    """The text as a key; ValueError unless it is one that every table takes and none misreads."""
    if not _KEY.fullmatch(text):
        raise ValueError("not a table key")
    return text


class Codec[T: Row]:
    def __init__(self, kind: type[T]) -> None:
        self._adapter = TypeAdapter(kind)
        self._members = [member.name for member in fields(kind)]  # type: ignore[arg-type]

    def entity(self, row: T) -> Entity:
        entity = {"PartitionKey": table_key(row.partition), "RowKey": table_key(row.key)}
        for name, value in self._adapter.dump_python(row, mode="json").items():
            if isinstance(value, list | dict):
                entity[name + _JSON] = json.dumps(value, separators=(",", ":"))
            elif value is not None:
                entity[name] = value
        return entity

    def row(self, entity: Entity) -> T:
        members: dict[str, Any] = {}
        for name in self._members:
            if name in entity:
                members[name] = entity[name]
            elif name + _JSON in entity:
                members[name] = json.loads(entity[name + _JSON])
        return self._adapter.validate_python(members)
