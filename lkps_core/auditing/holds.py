"""Legal holds: what must not expire, because someone asked for it to be kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lkps_core.auditing.index import MEMBERS
from lkps_core.identity.principal import PrincipalId
from lkps_core.ports import Rows

MOST = 1000
"""Holds at the same time."""


@dataclass(frozen=True, slots=True)
class Hold:
    """`subject` is `{agent|application|user|session}:{name or id}`."""

    subject: str
    reason: str
    placed_by: PrincipalId
    placed_at: datetime

    @property
    def partition(self) -> str:
        return "hold"

    @property
    def key(self) -> str:
        return self.subject


async def held_subjects(holds: Rows[Hold]) -> frozenset[str]:
    return frozenset(stored.row.subject for stored in await holds.page("hold", most=MOST))


def concerns(row: Mapping[str, Any], subjects: Iterable[str]) -> bool:
    """Whether the row is about one of them: did it, or was done to it."""
    return any(_is_about(row, subject) for subject in subjects)


def _is_about(row: Mapping[str, Any], subject: str) -> bool:
    kind, _, value = subject.partition(":")
    whom = str(row.get("subject", ""))  # of a block: `user:{tenant}:{id}`
    return row.get(MEMBERS[kind]) == value or (
        whom.startswith(f"{kind}:") and whom.endswith(f":{value}")
    )
