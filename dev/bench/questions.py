"""The first page of each question of an auditor, on an Azurite whose tables hold a year's trail.

`python -m dev.bench.questions --rows 1000000` says how it is with so many rows, and what they took.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import aiohttp
import psutil

from dev.bench.contents import Contents, write_contents
from dev.bench.filling import node_options, read_back
from dev.bench.happenings import AGENTS, APPLICATIONS
from dev.bench.history import History
from dev.platform import Platform, running
from dev.platform.places import STATE
from lkps_core.adapters.tables import TablesAccount
from lkps_trail.checkpoint import instant

ROWS = 100_000
"""Of the trail in `make bench`."""

_REPEATS = 5


@dataclass(frozen=True, slots=True)
class FirstPages:
    """`seconds` are medians. `written` and `started` are in seconds, `memory` is Azurite's."""

    rows: int
    entities: int
    seconds: Mapping[str, float]
    written: float
    started: float
    memory: int


async def first_pages(rows: int) -> FirstPages:
    with tempfile.TemporaryDirectory(dir=STATE) as directory:
        began = perf_counter()
        history = History(rows, datetime.now(UTC))
        contents = await write_contents(Path(directory) / "contents.ndjson", history)
        written = perf_counter()
        async with running(node_options=node_options(contents)) as platform:
            started = perf_counter()
            await _read_back(platform, contents)
            return FirstPages(
                rows,
                contents.entities,
                await _asked(platform, _questions(contents)),
                written - began,
                started - written,
                psutil.Process(platform.azurite.pid).memory_info().rss,
            )


async def _read_back(platform: Platform, contents: Contents) -> None:
    account = TablesAccount.from_connection_string(platform.azurite.connection_string)
    try:
        await read_back(account, contents)
    finally:
        await account.close()


def _questions(contents: Contents) -> dict[str, dict[str, str]]:
    """Of the agent and the application that have the most rows."""
    now = datetime.now(UTC)
    year = now.year if now.month > 3 else now.year - 1
    members = [json.loads(one.row) for one in contents.samples]
    return {
        "of a session": {
            "session_id": next(row["session_id"] for row in members if "session_id" in row)
        },
        "sessions of an agent in March": {
            "agent_name": AGENTS[0],
            "action": "session.*",
            "from": f"{year}-03-01T00:00:00Z",
            "to": f"{year}-04-01T00:00:00Z",
        },
        "of an application on a day": {
            "client_app_id": APPLICATIONS[0],
            "from": f"{year}-03-01T00:00:00Z",
            "to": f"{year}-03-02T00:00:00Z",
        },
        "changed grants of an agent": {"agent_name": AGENTS[0], "action": "grant.*"},
        "refusals of the last hour": {
            "outcome": "refused",
            "from": instant(now - timedelta(hours=1)),
        },
    }


async def _asked(
    platform: Platform, questions: Mapping[str, Mapping[str, str]]
) -> dict[str, float]:
    headers = {"Authorization": f"Bearer {await platform.access_token('auditor')}"}
    async with aiohttp.ClientSession(f"{platform.lkps_url}/api/", headers=headers) as lkps:
        return {name: await _seconds(lkps, query) for name, query in questions.items()}


async def _seconds(lkps: aiohttp.ClientSession, query: Mapping[str, str]) -> float:
    async def once() -> float:
        began = perf_counter()
        async with lkps.get("audit", params=query, raise_for_status=True) as response:
            answer = await response.read()
        took = perf_counter() - began
        assert json.loads(answer)["rows"]
        return took

    return median([await once() for _ in range(_REPEATS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    pages = asyncio.run(first_pages(parser.parse_args().rows))
    print(f"{pages.rows:,} rows, {pages.entities:,} entities, written in {pages.written:.0f} s")
    print(f"Azurite has them after {pages.started:.0f} s, in {pages.memory / 2**30:.1f} GiB")
    for name, seconds in pages.seconds.items():
        print(f"first page {name}: {seconds:.2f} s")


if __name__ == "__main__":
    main()
