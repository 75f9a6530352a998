"""What LKPS says of its sessions is true again after a sweep, whatever was lost or died."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
import pytest

from dev.platform import running
from dev.platform.conditions import holds_within
from dev.platform.service import Service
from lkps_core.services import Services
from tests.e2e.parts.guest import joined
from tests.e2e.parts.lkps import Lkps, calling, new_agent_name
from tests.e2e.parts.mailbox import Mailbox, receiving
from tests.e2e.parts.rooms import Rooms, looking
from tests.e2e.parts.sweeper import hurry, sweeping, swept
from tests.e2e.parts.tables import Row, Tables, reading
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually

AT_ONCE = 6
ROUNDS, PROCESSES = 10, 5
LATEST_SECONDS = 0.6


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with receiving() as mailbox:
        yield mailbox


@pytest.fixture
async def lkps(mailbox: Mailbox) -> AsyncIterator[Lkps]:
    """On a platform of its own, which is told nothing by LiveKit."""
    async with (
        running(webhook=mailbox.url, persistent=True) as platform,
        calling(platform) as lkps,
    ):
        await lkps.set_limits(starts_per_minute_per_application=100_000)
        yield lkps


@pytest.fixture
async def tables(lkps: Lkps) -> AsyncIterator[Tables]:
    async with reading(lkps.platform) as tables:
        yield tables


@pytest.fixture
async def rooms(lkps: Lkps) -> AsyncIterator[Rooms]:
    async with looking(lkps.platform) as rooms:
        yield rooms


@pytest.fixture
async def services(lkps: Lkps) -> AsyncIterator[Services]:
    async with sweeping(lkps.platform) as services:
        yield services


@pytest.fixture
async def agents(
    lkps: Lkps, agent_name: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AgentLauncher]:
    environment = lkps.platform.agent_environment("agent")
    launcher = AgentLauncher(
        tmp_path_factory.mktemp("agents"), {**environment, "ECHO_AGENT_NAME": agent_name}
    )
    yield launcher
    await launcher.stop()


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

    row = await _row(tables, agent_name)
    assert (row["state"], row["cause"]) == ("ended", "everyone_left")
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
    lkps: Lkps, services: Services, rooms: Rooms, tables: Tables
) -> None:
    platform, agent_name = lkps.platform, new_agent_name()
    await lkps.register(agent_name)
    moments = random.Random(20_261_126)  # any fifty will do
    processes = [platform.new_service({}) for _ in range(PROCESSES)]
    tokens: set[str] = set()
    try:
        for _ in range(ROUNDS):
            killed = (
                _killed(lkps, one, agent_name, moments.uniform(0, LATEST_SECONDS))
                for one in processes
            )
            tokens.update(*await asyncio.gather(*killed))
    finally:
        for one in processes:
            await one.dispose()
    await eventually(lambda: _is_free(services), 100)

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


async def _killed(lkps: Lkps, service: Service, agent_name: str, after: float) -> set[str]:
    """The hashes of the tokens that reached callers before the process was killed."""
    await service.start()
    tokens: set[str] = set()
    callers = [
        asyncio.create_task(_call(lkps.at(service.url), agent_name, tokens)) for _ in range(AT_ONCE)
    ]
    callers.append(asyncio.create_task(_sweep(lkps.at(service.url))))
    assert await holds_within(30, lambda: bool(tokens))
    await asyncio.sleep(after)  # the moment is what is tried, not what is waited for
    await service.kill()
    await asyncio.gather(*callers)
    return tokens


async def _call(lkps: Lkps, agent_name: str, tokens: set[str]) -> None:
    """Start sessions and end every other, until the process is gone."""
    try:
        while True:
            answer = await lkps.start(agent_name)
            if answer.status == 200:
                tokens.add(answer.token_sha256)
                if len(tokens) % 2:
                    await lkps.end(answer["session_id"])
    except aiohttp.ClientError:
        return


async def _sweep(lkps: Lkps) -> None:
    try:
        while True:
            await lkps.call("admin", "POST", "sweep", {"reason": "a test"})
    except aiohttp.ClientError:
        return


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


async def _is_free(services: Services) -> bool:
    """Whether no killed process has the turn any more."""
    stored = await services.sweeping._turns._rows.get("platform", "sweep")
    return stored is None or services.clock() >= stored.row.until
