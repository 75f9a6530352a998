"""Questions to the trail: answered from the index, and from the rows that it does not have yet."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any

from lkps_core.auditing.index import (
    ACTIONS,
    EVERYTHING,
    MEMBERS,
    Entry,
    Index,
    entries_of,
    families_of,
    partitions_of,
    time_of,
)
from lkps_core.auditing.indexing import Indexed, positions_of
from lkps_core.auditing.reading import SETTLED, days_until, in_turns, streams_of
from lkps_core.ports import Rows, TrailRows
from lkps_trail.checkpoint import instant

ROUNDS = 5
"""Pages of the index that one page of an answer may take, when other conditions leave rows out."""

MOST_NEW = 5000
"""Rows that are read because the index does not have them yet, all streams together."""

LEAST = 50
"""Of one stream, however many there are."""

_RECENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What is None does not matter. `until` is excluded. `action` may end in `.*`."""

    since: datetime | None = None
    until: datetime | None = None
    agent_name: str | None = None
    client_app_id: str | None = None
    user_oid: str | None = None
    session_id: str | None = None
    action: str | None = None
    outcome: str | None = None
    reason: str | None = None

    @property
    def subjects(self) -> Mapping[str, str | None]:
        """By kind, what the rows are to be about."""
        return {
            "session": self.session_id,
            "user": self.user_oid,
            "agent": self.agent_name,
            "application": self.client_app_id,
        }

    def partitions(self) -> list[str]:
        """Of the index: those of the subject with the fewest rows."""
        subjects = self.subjects
        named = (f"{kind}:{subjects[kind]}" for kind in MEMBERS if subjects[kind] is not None)
        actions = [action for action in ACTIONS if self._asks_for(action)]
        return partitions_of(next(named, EVERYTHING), families_of(actions, self.outcome))

    def fits(self, row: Mapping[str, Any]) -> bool:
        wanted = {MEMBERS[kind]: value for kind, value in self.subjects.items()}
        wanted |= {"outcome": self.outcome, "reason": self.reason}
        return self._asks_for(row["action"]) and all(
            value is None or row.get(name) == value for name, value in wanted.items()
        )

    def _asks_for(self, action: str) -> bool:
        if self.action is None or not self.action.endswith("*"):
            return self.action in (None, action)
        return action.startswith(self.action[:-1])


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is where to read on. Rows younger than `complete_until` may still be missing."""

    rows: list[dict[str, Any]]
    next: str | None
    complete_until: datetime


class Asking:
    def __init__(self, rows: TrailRows, index: Index, positions: Rows[Indexed]) -> None:
        self._rows = rows
        self._index = index
        self._positions = positions

    async def ask(self, question: Question, now: datetime, most: int, after: str = "") -> Page:
        """The first rows that fit and come after; perhaps fewer than `most` though more follow."""
        partitions = question.partitions()
        start = max(after, instant(question.since) if question.since else "")
        end = instant(question.until) if question.until else "9"
        new, complete_until = await self._new(partitions, now, (start, end))
        found: list[dict[str, Any]] = []
        for _ in range(ROUNDS):
            page = await self._page(partitions, new, (start, end), most)
            for entry in page:
                start, members = entry.key, entry.members
                if question.fits(members):
                    found.append(members)
                if len(found) == most:
                    break
            if len(found) == most or len(page) < most:
                break
        more = len(found) == most or len(page) == most
        return Page(found, start if more else None, complete_until)

    async def _page(
        self, partitions: Sequence[str], new: Sequence[Entry], window: tuple[str, str], most: int
    ) -> list[Entry]:
        """The first `most` entries in the window, whatever they are filed under."""
        after, before = window
        pages = await asyncio.gather(
            *(self._index.page(one, after=after, before=before, most=most) for one in partitions)
        )
        later = [entry for entry in new if entry.key > after]
        by_key = {entry.key: entry for entry in merge(*pages, later, key=attrgetter("key"))}
        return list(islice(by_key.values(), most))

    async def _new(
        self, partitions: Sequence[str], now: datetime, window: tuple[str, str]
    ) -> tuple[list[Entry], datetime]:
        """The entries that the index will have, and until when nothing is missing."""
        after, before = window
        days, complete_until = days_until(now, back=_RECENT), now - SETTLED
        if before <= days[0]:
            return [], complete_until
        streams, positions = await self._recent(days)
        share = max(LEAST, MOST_NEW // max(1, len(streams)))
        pages = await in_turns(
            lambda stream: self._rows.page(stream, positions.get(stream, 0), share), streams
        )
        cut = [time_of(page[-1][1]) for page in pages if len(page) == share]
        wanted = frozenset(partitions)
        entries = (entry for page in pages for _, row in page for entry in entries_of(row))
        fitting = [one for one in entries if one.partition in wanted and after < one.key < before]
        return sorted(fitting, key=attrgetter("key")), min([complete_until, *cut])

    async def _recent(self, days: Sequence[str]) -> tuple[list[str], dict[str, int]]:
        """The streams of these days, and how far each is indexed."""
        streams = await streams_of(self._rows, days)
        stored = await in_turns(lambda day: positions_of(self._positions, day), days)
        return streams, {name: one.row.next for day in stored for name, one in day.items()}
