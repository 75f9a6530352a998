"""Rotating a routing secret: the rightful workers move over, and callers do not notice."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from dev.platform import Platform, running
from tests.e2e.parts.lkps import Answer, Lkps
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables
from tests.e2e.parts.worker import working
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually

RENEW_SECONDS = 2
EVERY = 0.25
AGENTS = 2


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncIterator[Platform]:
    async with running(settings={"LKPS_RENEW_SECONDS": str(RENEW_SECONDS)}) as platform:
        yield platform


class Callers:
    """Start a session every quarter of a second, until they are told to stop."""

    def __init__(self, lkps: Lkps, agent_name: str) -> None:
        self._lkps = lkps
        self._agent_name = agent_name
        self._enough = asyncio.Event()
        self.started: list[Answer] = []

    async def call(self) -> None:
        while not self._enough.is_set():
            self.started.append(await self._lkps.start(self._agent_name))
            await asyncio.sleep(EVERY)

    async def go_on_for(self, sessions: int) -> None:
        wanted = len(self.started) + sessions
        await eventually(lambda: len(self.started) >= wanted)

    def stop(self) -> None:
        self._enough.set()


@pytest.mark.parametrize("instances", [1, AGENTS], ids=["one instance", "two instances"])
async def test_a_planned_rotation_loses_no_session_and_sends_none_two_agents(
    lkps: Lkps,
    rooms: Rooms,
    tables: Tables,
    agents: AgentLauncher,
    agent_name: str,
    instances: int,
) -> None:
    for _ in range(instances):
        agent = await agents.start("tests/e2e/programs/light_agent.py")
        await agent.is_connected()
    for _ in range(2):  # LiveKit may lose the first jobs of a name that it has just learnt
        await eventually(lambda: _is_served(lkps, rooms, agent_name))
    callers = Callers(lkps, agent_name)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(callers.call())
        await callers.go_on_for(4)
        rotated = await _rotate(lkps, agent_name)
        again = await _rotate(lkps, agent_name)
        await eventually(lambda: _all_moved(lkps, agent_name, instances))
        await callers.go_on_for(4)
        callers.stop()

    assert (rotated["routing_version"], rotated["previous_routing_version"]) == (2, 1)
    assert (rotated["outage_seconds"], rotated["instances_to_move"]) == (0, instances)
    assert (again.status, again.code) == (409, "rotation_under_way")
    for started in callers.started:
        assert started["agent_status"] == "dispatched"
        await eventually(partial(_jobs, rooms, started["room_name"]))
    jobs = [await rooms.jobs(started["room_name"]) for started in callers.started]
    assert [len(of_room) for of_room in jobs] == [1] * len(jobs)
    (row,) = await tables.trail(agent_name=agent_name, action="agent.rotated")
    assert (row["reason"], row["comment"], row["routing_version"]) == ("planned", "a drill", 2)


async def test_an_emergency_rotation_leaves_the_old_secret_nothing_and_says_what_it_costs(
    platform: Platform, lkps: Lkps, rooms: Rooms, agents: AgentLauncher, agent_name: str
) -> None:
    agent = await agents.start("tests/e2e/programs/light_agent.py")
    await agent.is_connected()
    stolen = await lkps.register(agent_name)

    rotated = await _rotate(lkps, agent_name, emergency=True)
    url, secret = platform.livekit_url, stolen["deployment"]
    async with working(url, stolen["token"], agent_name, secret) as thief:
        await eventually(lambda: _is_served(lkps, rooms, agent_name), RENEW_SECONDS + 10)

    assert rotated["outage_seconds"] == RENEW_SECONDS
    assert f"{RENEW_SECONDS} s at most" in rotated["detail"]
    assert thief.offered == []


async def _rotate(lkps: Lkps, agent_name: str, **members: object) -> Answer:
    body = {"reason": "a drill", **members}
    return await lkps.call("admin", "POST", f"agents/{agent_name}/rotate", body)


async def _all_moved(lkps: Lkps, agent_name: str, instances: int) -> bool:
    shown = (await lkps.call("admin", "GET", f"agents/{agent_name}"))["instances"]
    return [one["routing_version"] for one in shown] == [2] * instances


async def _jobs(rooms: Rooms, room_name: str) -> bool:
    return bool(await rooms.jobs(room_name))


async def _is_served(lkps: Lkps, rooms: Rooms, agent_name: str) -> bool:
    started = await lkps.start(agent_name)
    try:
        await eventually(lambda: _jobs(rooms, started["room_name"]), 0.5)
    except AssertionError:
        return False
    return True
