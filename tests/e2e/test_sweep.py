"""What LKPS says of its sessions is true again after a sweep, whatever was lost or died."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial

import pytest

from dev.platform import Platform, running
from lkps_core.services import Services
from tests.e2e.parts.guest import joined
from tests.e2e.parts.killing import PROCESSES, killed_at_fifty_moments
from tests.e2e.parts.lkps import Lkps, calling
from tests.e2e.parts.mailbox import Mailbox, receiving
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.sweeper import abandon, hurry, sweeping, swept
from tests.e2e.parts.tables import Row, Tables
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually

AT_ONCE = 6


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with receiving() as mailbox:
        yield mailbox


@pytest.fixture
async def platform(mailbox: Mailbox) -> AsyncIterator[Platform]:
    """One of its own, which is told nothing by LiveKit."""
    async with running(webhook=mailbox.url, persistent=True) as platform:
        async with calling(platform) as lkps:
            await lkps.set_limits(starts_per_minute_per_application=100_000)
        yield platform


@pytest.fixture
async def services(platform: Platform) -> AsyncIterator[Services]:
    async with sweeping(platform) as services:
        yield services


async def test_without_any_event_the_sweep_brings_sessions_to_their_end(
    lkps: Lkps,
    services: Services,
    agents: AgentLauncher,
    agent_name: str,
    rooms: Rooms,
    tables: Tables,
) -> None:
    first = await agents.start("tests/e2e/programs/light_agent.py")
    await first.is_connected()
    started = await lkps.start(agent_name, wait_for_agent=10)
    async with joined(started["livekit_url"], started["participant_token"]) as guest:
        await swept(services)
        assert (await _row(tables, agent_name))["joined_at"] is not None
        second = await agents.start("tests/e2e/programs/light_agent.py")
        await second.is_connected()
        await first.kill()
        await eventually(lambda: _dispatches(services, tables, agent_name, 2), 40)
        await eventually(lambda: len(guest.agents) == 1)
    await eventually(lambda: _is_gone(rooms, started["room_name"]), 40)
    await swept(services)

    await eventually(partial(_is_at_rest, tables, agent_name))
    assert (await _row(tables, agent_name))["cause"] == "everyone_left"
    (ended,) = await tables.trail(session_id=started["session_id"], action="session.ended")
    assert ended["reason"] == "everyone_left"
    assert ended["operation"] in ("sweep", "agent_job_report")  # a worker may have told first


async def test_events_told_late_twice_and_shuffled_tell_the_same(
    lkps: Lkps,
    mailbox: Mailbox,
    agents: AgentLauncher,
    agent_name: str,
    rooms: Rooms,
    tables: Tables,
) -> None:
    agent = await agents.start("tests/e2e/programs/light_agent.py")
    await agent.is_connected()
    for number in range(5):
        mailbox.letters.clear()
        started = await lkps.start(agent_name, wait_for_agent=10)
        async with joined(started["livekit_url"], started["participant_token"]):
            pass
        await rooms.delete(started["room_name"])
        await eventually(lambda: any(b"room_finished" in one.body for one in mailbox.letters))
        shuffled = mailbox.letters * 2
        random.Random(number).shuffle(shuffled)

        await mailbox.deliver(shuffled, lkps.url)
        await eventually(partial(_has_ended, lkps, started["session_id"]), 30)

        shown = (await lkps.show(started["session_id"])).json
        assert (shown["state"], shown["cause"]) == ("ended", "everyone_left")
        ended = await tables.trail(session_id=started["session_id"], action="session.ended")
        assert len(ended) == 1


async def test_a_livekit_that_lost_its_rooms_is_noticed(
    lkps: Lkps, services: Services, agent_name: str, tables: Tables, rooms: Rooms
) -> None:
    await lkps.register(agent_name)
    for _ in range(5):
        await lkps.start(agent_name)
    await lkps.platform.livekit.kill()
    failed = await lkps.call("admin", "POST", "sweep", {"reason": "a test"})
    assert (failed.status, failed.code) == (503, "livekit_unavailable")
    assert {row["state"] for row in await tables.sessions(agent_name)} == {"open"}
    await lkps.platform.livekit.start()

    run = await swept(services)

    assert (run.sessions, run.ended) == (5, {"nobody_joined": 5})
    assert await rooms.names() == set()
    assert {row["state"] for row in await tables.sessions(agent_name)} == {"ended"}
    assert (await lkps.start(agent_name)).status == 200


async def test_tables_that_were_away_end_no_conversation(
    lkps: Lkps, services: Services, agents: AgentLauncher, agent_name: str, tables: Tables
) -> None:
    agent = await agents.start("tests/e2e/programs/light_agent.py")
    await agent.is_connected()
    started = await lkps.start(agent_name, wait_for_agent=10)
    async with joined(started["livekit_url"], started["participant_token"]) as guest:
        await swept(services)
        await lkps.platform.azurite.end()
        failed = await lkps.call("admin", "POST", "sweep", {"reason": "a test"})
        assert failed.status == 503
        await lkps.platform.azurite.start()

        run = await swept(services)

        assert (run.ended, run.rooms_removed, run.failed) == ({}, 0, 0)
        assert not guest.left.is_set()
        assert (await _row(tables, agent_name))["state"] == "open"


async def test_of_two_sweeps_at_once_each_session_ends_once(
    lkps: Lkps, services: Services, agent_name: str, tables: Tables, rooms: Rooms
) -> None:
    await lkps.register(agent_name)
    started = await asyncio.gather(*(lkps.start(agent_name) for _ in range(40)))
    for one in started[:30]:
        await rooms.delete(one["room_name"])
    async with sweeping(lkps.platform) as other:
        await asyncio.gather(services.sweeping.full(), other.sweeping.full())
        await asyncio.gather(services.sweeping.full(), other.sweeping.full())
    ended = await tables.trail(agent_name=agent_name, action="session.ended")
    assert sorted(row["session_id"] for row in ended) == sorted(
        one["session_id"] for one in started[:30]
    )
    assert await rooms.names() == {one["room_name"] for one in started[30:]}


@pytest.mark.timeout(600)
async def test_of_processes_killed_at_fifty_moments_a_sweep_leaves_nothing_half_done(
    lkps: Lkps,
    services: Services,
    agent_name: str,
    rooms: Rooms,
    tables: Tables,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await lkps.register(agent_name)

    async def start(process: Lkps, tokens: set[str]) -> None:
        """And end every other."""
        answer = await process.start(agent_name)
        if answer.status == 200:
            tokens.add(answer.token_sha256)
            if len(tokens) % 2:
                await process.end(answer["session_id"])

    async def sweep(process: Lkps, _: set[str]) -> None:
        await process.call("admin", "POST", "sweep", {"reason": "a test"})

    callers = [*[start] * AT_ONCE, sweep]
    tokens = await killed_at_fifty_moments(lkps, callers, seed=20_261_126)
    await eventually(lambda: _is_free(services), 100)
    abandon(monkeypatch)

    await swept(services)

    rows = await tables.sessions(agent_name)
    standing = await rooms.names()
    assert {row["room_name"] for row in rows if row["state"] == "open"} == standing
    assert {row["state"] for row in rows} <= {"open", "ended"}
    trail = await tables.trail()
    assert len(tokens) > 10 * PROCESSES
    assert tokens <= {row.get("token_sha256") for row in trail}
    ended = {row["session_id"] for row in trail if row["action"] == "session.ended"}
    assert {row["id"] for row in rows if row["state"] == "ended"} <= ended
    await tables.require_gapless_streams()


async def _row(tables: Tables, agent_name: str) -> Row:
    (row,) = await tables.sessions(agent_name)
    return row


async def _dispatches(services: Services, tables: Tables, agent_name: str, many: int) -> bool:
    await swept(services)
    return bool((await _row(tables, agent_name))["dispatches"] == many)


async def _is_gone(rooms: Rooms, room_name: str) -> bool:
    return room_name not in await rooms.names()


async def _has_ended(lkps: Lkps, session_id: str) -> bool:
    return bool((await lkps.show(session_id))["state"] == "ended")


async def _is_at_rest(tables: Tables, agent_name: str) -> bool:
    return bool((await _row(tables, agent_name))["state"] == "ended")


async def _is_free(services: Services) -> bool:
    """Whether no killed process has the turn any more."""
    stored = await services.sweeping._turns._rows.get("platform", "sweep")
    return stored is None or services.clock() >= stored.row.until
