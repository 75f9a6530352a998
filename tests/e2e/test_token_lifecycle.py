"""Agent tokens of four seconds, for a minute: no job is lost, and no call disturbed."""

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from livekit import rtc

from dev.demo.caller import RATE
from dev.platform import Platform, running
from tests.e2e.parts.guest import Guest, joined
from tests.e2e.parts.lkps import Answer, Lkps, new_agent_name
from tests.sdk.parts.agent import Agent, AgentLauncher
from tests.sdk.parts.waiting import eventually

pytestmark = pytest.mark.timeout(240)

SECONDS = 60.0
HERTZ = 440
SETTINGS = {"LKPS_AGENT_TOKEN_SECONDS": "4", "LKPS_RENEW_SECONDS": "1"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncIterator[Platform]:
    async with running(settings=SETTINGS) as platform:
        yield platform


async def test_a_minute_with_tokens_of_four_seconds_loses_no_job_and_disturbs_no_call(
    platform: Platform, lkps: Lkps, agents: AgentLauncher, agent_name: str
) -> None:
    another_name = new_agent_name()
    echo = await agents.echo()
    await _serves(echo, lkps, agent_name)
    light = await agents.start("tests/e2e/programs/light_agent.py", ECHO_AGENT_NAME=another_name)
    await _serves(light, lkps, another_name)
    call = await lkps.start(agent_name, wait_for_agent=10)
    async with joined(platform.livekit_url, call["participant_token"]) as guest:
        await guest.speak(HERTZ)
        assert await guest.exchange(b"before") == b"before"
        await eventually(lambda: _tracks(guest))
        before = [one.sid for one in guest.agents]
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(_hear(_tracks(guest)[0]))
            starting = tasks.create_task(_start_sessions(lkps, another_name))
        after = [one.sid for one in guest.agents]
        connections = [one.output.count('"registered worker"') for one in (echo, light)]
        await lkps.call("admin", "POST", f"agents/{agent_name}/rotate", {"reason": "a drill"})
        await echo.is_connected(times=2)
        assert await guest.exchange(b"after") == b"after"
        await eventually(lambda: _is_served(lkps, agent_name))
        await lkps.end(call["session_id"])

    statuses = [one["agent_status"] for one in starting.result()]
    assert statuses == ["joined"] * len(statuses)
    assert len(statuses) >= 20
    assert before == after
    assert connections == [1, 1]
    heard = hearing.result()
    assert len(heard) >= SECONDS - 1
    assert [hertz for hertz in heard if not HERTZ - 5 <= hertz <= HERTZ + 5] == []
    for agent in (echo, light):
        assert await agent.stop() == 0
        assert '"level": "WARNING", "name": "lkps"' not in agent.output


async def _start_sessions(lkps: Lkps, agent_name: str) -> list[Answer]:
    """One after the other, each until its agent is there."""
    over, started = time.monotonic() + SECONDS, list[Answer]()
    while time.monotonic() < over:
        started.append(await lkps.start(agent_name, wait_for_agent=10))
        await lkps.end(started[-1]["session_id"])
        await asyncio.sleep(0.5)
    return started


async def _serves(agent: Agent, lkps: Lkps, agent_name: str) -> None:
    await agent.is_connected()
    for _ in range(2):  # LiveKit may lose the first jobs of a name that it has just learnt
        await eventually(lambda: _is_served(lkps, agent_name))


async def _is_served(lkps: Lkps, agent_name: str) -> bool:
    started = await lkps.start(agent_name, wait_for_agent=2)
    await lkps.end(started["session_id"])
    return bool(started["agent_status"] == "joined")


def _tracks(guest: Guest) -> list[rtc.RemoteAudioTrack]:
    published = [one for agent in guest.agents for one in agent.track_publications.values()]
    return [one.track for one in published if isinstance(one.track, rtc.RemoteAudioTrack)]


async def _hear(track: rtc.RemoteAudioTrack) -> list[float]:
    """The loudest frequency of each second of it, in hertz."""
    stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
    heard, second = list[float](), np.zeros(0, dtype=np.int16)
    async for event in stream:
        second = np.append(second, np.frombuffer(event.frame.data, dtype=np.int16))
        if len(second) >= RATE:
            spectrum = np.abs(np.fft.rfft(second[:RATE] * np.hanning(RATE)))
            heard.append(float(np.argmax(spectrum)))
            second = second[RATE:]
        if len(heard) >= SECONDS:
            break
    await stream.aclose()
    return heard
