"""Where the index keeps a row, so that a question reads only what it needs."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, get_args

from lkps_core.audit.event import Action

type Family = Literal["sessions", "registrations", "changes", "refusals", "reads"]
"""Rows that are asked for together. Whatever did not succeed is under `refusals` alone."""

FAMILIES: tuple[Family, ...] = get_args(Family.__value__)

_OF_ACTIONS: Mapping[str, Family] = {
    "session.authorized": "sessions",
    "session.invited": "sessions",
    "session.abandoned": "sessions",
    "session.dispatched": "sessions",
    "session.agent_removed": "sessions",
    "session.job_ended": "sessions",
    "session.room_removed": "sessions",
    "session.ended": "sessions",
    "agent.registered": "registrations",
    "agent.renewed": "registrations",
    "agent.deregistered": "registrations",
    "agent.lapsed": "registrations",
    "audit.read": "reads",
    "audit.exported": "reads",
    "request.refused": "refusals",
}
"""The other actions are changes."""

EVERYTHING = "all:"
"""The subject of every row."""

MEMBERS = {"session": "session_id", "user": "oid", "agent": "agent_name", "application": "azp"}
"""By kind of subject the row's member that names it, beginning with the one of the fewest rows."""

ACTIONS: tuple[Action, ...] = get_args(Action.__value__)


def family_of(action: str, outcome: str) -> Family:
    return "refusals" if outcome != "success" else _OF_ACTIONS.get(action, "changes")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row under one of its subjects: `row` are its bytes as text, `key` sorts by time."""

    partition: str
    key: str
    row: str

    @property
    def members(self) -> dict[str, Any]:
        members: dict[str, Any] = json.loads(self.row)
        return members


class Index(Protocol):
    """What is derived from the trail. Every method raises StorageUnavailable."""

    async def put(self, entries: Sequence[Entry]) -> None:
        """Write all, over those that are there already."""
        ...

    async def page(self, partition: str, *, after: str, before: str, most: int) -> Sequence[Entry]:
        """The first `most` entries whose keys come after `after` and before `before`."""
        ...

    async def remove(self, entries: Sequence[Entry]) -> None:
        """Those that are gone are gone."""
        ...


def entries_of(row: bytes) -> list[Entry]:
    """The row under each of its subjects."""
    text = row.decode()
    members = json.loads(text)
    key = key_of(members)
    family = family_of(members["action"], members["outcome"])
    return [
        Entry(partition, key, text)
        for subject in _subjects(members)
        for partition in partitions_of(subject, [family])
    ]


def key_of(row: Mapping[str, Any]) -> str:
    """By time, then by place: no two rows have the same."""
    return f"{row['at']}_{row['stream']}_{row['number']:012d}"


def time_of(row: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(row)["at"])


def _subjects(row: Mapping[str, Any]) -> Iterator[str]:
    yield EVERYTHING
    for kind, member in MEMBERS.items():
        if member in row:
            yield f"{kind}:{row[member]}"


def partitions_of(subject: str, families: Sequence[Family] = FAMILIES) -> list[str]:
    """Where rows of these families are under `{kind}:{name or id}`; a session's are together."""
    if subject.startswith("session:"):
        return [subject]
    return [f"{subject}:{family}" for family in families]


def families_of(actions: Collection[str], outcome: str | None) -> list[Family]:
    """Where rows of these actions with this outcome can be."""
    if outcome in ("refused", "failed"):
        return ["refusals"]
    found = {family_of(action, "success") for action in actions}
    if outcome is None:
        found.add("refusals")
    return [family for family in FAMILIES if family in found]
