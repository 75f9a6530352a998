"""A flood of refusals and thousands of sessions: a few rows, and a process that stays small."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import psutil
import pytest
import pytest_asyncio

from dev.platform import Platform, running
from tests.e2e.parts.crowd import crowd
from tests.e2e.parts.lkps import Answer, Lkps, calling
from tests.e2e.parts.tables import Row, Tables, reading
from tests.sdk.parts.waiting import eventually

pytestmark = pytest.mark.timeout(180)

AT_ONCE = 64
FLOOD = 2_000
REPEATS = 50
WINDOW_SECONDS = 60

SESSIONS = 10_000
AGENTS = 50
ATTEMPTS = 5
LIMIT = 150 * 2**20
GROWTH = 5 * 2**20


@dataclass(frozen=True)
class Flooded:
    """What was answered, and the rows that were on the trail at once."""

    token: str
    unauthenticated: list[Answer]
    repeated: list[Answer]
    rows: list[Row]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncIterator[Platform]:
    async with running() as platform:
        yield platform


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def flooded(platform: Platform) -> Flooded:
    """At the start, so that the minute in which refusals are counted passes with the other test."""
    async with calling(platform) as lkps, reading(platform) as tables:
        token = await lkps.access_token("client")
        await lkps.access_token("auditor")
        unauthenticated = await crowd(
            lambda number: _start_with(lkps, f"{token[:-6]}{number:06d}"), range(FLOOD), AT_ONCE
        )
        repeated = await crowd(
            lambda _: lkps.register("somebody", "auditor"), range(REPEATS), AT_ONCE
        )
        return Flooded(token, unauthenticated, repeated, await tables.trail())


async def test_a_flood_of_refusals_is_answered_and_costs_a_few_rows(flooded: Flooded) -> None:
    assert {answer.code for answer in flooded.unauthenticated} == {"token_invalid"}
    assert {answer.code for answer in flooded.repeated} == {"permission_lacking"}
    assert len(flooded.rows) <= 3


async def test_ten_thousand_sessions_leave_it_under_150_mib_and_growing_no_more(
    flooded: Flooded, platform: Platform, lkps: Lkps
) -> None:
    names = [f"agent-{number}" for number in range(AGENTS)]
    for name in names:
        await lkps.register(name)
    await lkps.set_limits(starts_per_minute_per_application=100_000)

    async def start(number: int) -> int:
        """As a client does that is told to come back: a busy machine may refuse a few."""
        name, key = names[number % AGENTS], str(uuid.uuid4())
        for _ in range(ATTEMPTS):
            answer = await lkps.start(name, key=key)
            if answer.status == 200:
                break
            await asyncio.sleep(float(answer.headers["Retry-After"]))
        return answer.status

    first = await crowd(start, range(SESSIONS // 2), AT_ONCE)
    after_half = _resident(platform)
    second = await crowd(start, range(SESSIONS // 2), AT_ONCE)
    after_all = _resident(platform)

    assert Counter([*first, *second]) == {200: SESSIONS}
    assert after_all < LIMIT
    assert after_all - after_half < GROWTH


async def test_repeats_and_floods_are_counted_in_one_row_a_minute(
    flooded: Flooded, tables: Tables, platform: Platform
) -> None:
    counted: list[Row] = []

    async def all_are_counted() -> bool:
        counted[:] = [row for row in await tables.trail() if "count" in row]
        return _sum(counted, "signature") == FLOOD and _sum(counted, "permission_lacking") > 0

    await eventually(all_are_counted, WINDOW_SECONDS + 15)

    (repeat,) = [row for row in counted if row["reason"] == "permission_lacking"]
    assert repeat["count"] == REPEATS - 1
    assert repeat["oid"] == platform.identities["auditor"].object_id
    assert all(row["first_at"] <= row["last_at"] <= row["at"] for row in counted)
    unauthenticated = [row for row in counted if row["reason"] == "signature"]
    assert len(unauthenticated) <= 2
    assert not any("oid" in row or "azp" in row for row in unauthenticated)
    await tables.require_gapless_streams()
    assert flooded.token.rpartition(".")[2][:40] not in str(await tables.trail())


async def _start_with(lkps: Lkps, token: str) -> Answer:
    headers = {"Authorization": f"Bearer {token}"}
    return await lkps.send("POST", "session/start", json={"agent_name": "a"}, headers=headers)


def _sum(rows: Iterable[Row], reason: str) -> int:
    return sum(row["count"] for row in rows if row["reason"] == reason)


def _resident(platform: Platform) -> int:
    """Bytes of memory that the process holds, the host stand-in in it included."""
    return psutil.Process(platform.service.pid).memory_info().rss
