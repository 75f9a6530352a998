"""In how many requests the rows of many starts at once are written, counted by Azurite."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from dev.bench.rounds import Subject, run
from dev.platform.ports import HOST, Ports
from lkps_core.sessions.watching import LOOK_AFTER

_COUNT = Path(__file__).with_name("count_requests.mjs")
_QUIET_SECONDS = 1.0

type _Counts = Mapping[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class Written:
    """Rows of one table: `insertions` brought one each, `transactions` the others."""

    rows: int
    insertions: int
    transactions: int


@dataclass(frozen=True, slots=True)
class Grouping:
    """`others` are the requests that wrote no new row, by method and table."""

    starts: int
    tables: Mapping[str, Written]
    others: Mapping[str, int]

    @property
    def writes_a_start(self) -> float:
        writes = sum(one.insertions + one.transactions for one in self.tables.values())
        return writes / self.starts


class Counting:
    """The counter that an Azurite with these `node_options` keeps."""

    def __init__(self) -> None:
        port = Ports().free()
        self.node_options = ("--import", f"{_COUNT.as_uri()}?{port}")
        self._url = f"http://{HOST}:{port}"

    async def grouping(self, subject: Subject, *, at_once: int, requests: int) -> Grouping:
        before = await self._counts()
        ran = await run(replace(subject, afterwards=None), at_once=at_once, requests=requests)
        after = await self._counts()
        if subject.afterwards is not None:
            await subject.afterwards()
        grown = {kind: counts - before[kind] for kind, counts in after.items()}
        rows, insertions, transactions = (
            grown[kind] for kind in ("rows", "insertions", "transactions")
        )
        return Grouping(
            requests - ran.errors,
            {one: Written(rows[one], insertions[one], transactions[one]) for one in rows},
            {kind: n for kind, n in grown["requests"].items() if not kind.startswith("POST ")},
        )

    async def settled(self) -> None:
        """Return once the service has looked after all the sessions that it started."""
        await asyncio.sleep(LOOK_AFTER)
        before, now = None, await self._counts()
        while now != before:
            await asyncio.sleep(_QUIET_SECONDS)
            before, now = now, await self._counts()

    async def _counts(self) -> _Counts:
        async with aiohttp.ClientSession() as session, session.get(self._url) as response:
            counts = await response.json(content_type=None)
            return {kind: Counter(of) for kind, of in counts.items()}
