"""The runbooks: with another LiveKit key, no token of before opens anything; planned, no event is
lost.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp
import pytest

from dev.platform import Platform, running
from dev.platform.livekit import ApiKey, LiveKit, LiveKitPorts
from dev.platform.ports import Ports
from dev.platform.service import Service
from tests.docs.pages import ROOT
from tests.e2e.parts.guest import joined
from tests.e2e.parts.lkps import Lkps, calling
from tests.e2e.parts.tables import Tables, reading
from tests.e2e.parts.worker import working
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually

AGENT_NAME = "mole"
TOLD_WITHIN = 5.0
"""Seconds: sooner than who started the session looks by itself."""


async def test_a_rotated_livekit_key_evicts_who_held_a_token_and_agents_come_back_by_themselves(
    tmp_path: Path,
) -> None:
    async with running() as platform, calling(platform) as lkps:
        agents = AgentLauncher(
            tmp_path, {**platform.agent_environment("agent"), "ECHO_AGENT_NAME": AGENT_NAME}
        )
        agent = await agents.start("tests/e2e/programs/light_agent.py")
        await agent.is_connected()
        stolen = await lkps.register(AGENT_NAME)
        async with working(platform.livekit_url, stolen["token"], AGENT_NAME, stolen["deployment"]):
            pass  # before, it opens the connection

        key = ApiKey.make()
        livekit = await _livekit_with(key, platform, tmp_path)
        between = await lkps.start(AGENT_NAME)
        service = await _service_with(key, platform, tmp_path)
        try:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await _connect(platform, stolen["token"], stolen["deployment"])
            await eventually(lambda: _is_served(lkps), 60)
        finally:
            await agents.stop()
            await service.dispose()
            await livekit.dispose()

    assert (between.status, between.code) == (503, "livekit_unavailable")
    assert refused.value.status == 401


async def test_a_planned_change_of_the_livekit_key_loses_no_event(tmp_path: Path) -> None:
    async with running() as platform, calling(platform) as lkps, reading(platform) as tables:
        await lkps.register(AGENT_NAME)
        old, new = platform.livekit.api_key, ApiKey.make()
        previous = {
            "LKPS_LIVEKIT_PREVIOUS_API_KEY": old.key,
            "LKPS_LIVEKIT_PREVIOUS_API_SECRET": old.secret,
        }
        await platform.livekit.end()
        livekit = await _signing_livekit(platform, tmp_path, [old, new], signing=old)
        await _hears(lkps, tables)
        service = await _service_with(new, platform, tmp_path, previous)
        try:
            await _hears(lkps, tables)
            await livekit.dispose()
            livekit = await _signing_livekit(platform, tmp_path, [old, new], signing=new)
            await _hears(lkps, tables)
            await livekit.dispose()
            livekit = await _signing_livekit(platform, tmp_path, [new], signing=new)
            await service.dispose()
            service = await _service_with(new, platform, tmp_path)
            await _hears(lkps, tables)
        finally:
            await service.dispose()
            await livekit.dispose()


async def _signing_livekit(
    platform: Platform, folder: Path, keys: Sequence[ApiKey], *, signing: ApiKey
) -> LiveKit:
    """A server that takes tokens of all the keys, and signs its events with the one."""
    ports = LiveKitPorts(platform.livekit.port, Ports().free())
    webhook = f"{platform.lkps_url}/api/livekit/webhook"
    livekit = LiveKit(folder, folder, ports, signing, webhook)
    configuration = folder / "livekit.yaml"
    written = json.loads(configuration.read_text())
    written["keys"] = {one.key: one.secret for one in keys}
    configuration.write_text(json.dumps(written))
    await livekit.start()
    return livekit


async def _hears(lkps: Lkps, tables: Tables) -> None:
    """A session starts, and LKPS is told that somebody joins it; nobody asks about it."""
    started = await lkps.start(AGENT_NAME)
    async with joined(started["livekit_url"], started["participant_token"]):

        async def is_told() -> bool:
            rows = await tables.sessions(AGENT_NAME)
            (row,) = [one for one in rows if one["id"] == started["session_id"]]
            return row["joined_at"] is not None

        await eventually(is_told, TOLD_WITHIN)


async def _livekit_with(key: ApiKey, platform: Platform, folder: Path) -> LiveKit:
    """Step 2: another server in the place of the old one, which knows the new key alone."""
    port = platform.livekit.port
    await platform.livekit.end()
    livekit = LiveKit(folder, folder, LiveKitPorts(port, Ports().free()), key, webhook=None)
    await livekit.start()
    return livekit


async def _service_with(
    key: ApiKey, platform: Platform, folder: Path, more: Mapping[str, str] | None = None
) -> Service:
    """Step 3."""
    settings = {
        **platform.settings,
        **(more or {}),
        "LKPS_LIVEKIT_API_KEY": key.key,
        "LKPS_LIVEKIT_API_SECRET": key.secret,
    }
    await platform.service.end()
    service = Service(folder, platform.service.port, settings, app=ROOT)
    await service.start()
    return service


async def _connect(platform: Platform, token: str, deployment: str) -> None:
    async with working(platform.livekit_url, token, AGENT_NAME, deployment):
        pass


async def _is_served(lkps: Lkps) -> bool:
    started = await lkps.start(AGENT_NAME, wait_for_agent=2)
    return bool(started["agent_status"] == "joined")
