"""Processes that are killed while they write: no token without its row, and the trail verifies."""

import asyncio
import random
from collections.abc import AsyncIterator

import aiohttp
import pytest

from dev.demo import proof
from dev.platform import running
from dev.platform.conditions import holds_within
from dev.platform.service import Service
from tests.e2e.parts.lkps import Lkps, calling, new_agent_name
from tests.e2e.parts.tables import reading

AT_ONCE = 8
ROUNDS, PROCESSES = 10, 5
LATEST_SECONDS = 0.6


@pytest.fixture
async def lkps() -> AsyncIterator[Lkps]:
    """On a platform of its own: what follows leaves thousands of rows and rooms."""
    async with running() as platform, calling(platform) as lkps:
        yield lkps


@pytest.mark.timeout(600)
async def test_of_processes_killed_at_fifty_moments_under_load_every_token_has_its_row(
    lkps: Lkps,
) -> None:
    platform, agent_name = lkps.platform, new_agent_name()
    await lkps.register(agent_name)
    await lkps.set_limits(starts_per_minute_per_application=100_000)
    moments = random.Random(20_261_125)  # any fifty will do
    services = [platform.new_service({}) for _ in range(PROCESSES)]
    tokens: set[str] = set()
    try:
        for _ in range(ROUNDS):
            killed = (
                _killed(lkps, service, agent_name, moments.uniform(0, LATEST_SECONDS))
                for service in services
            )
            tokens.update(*await asyncio.gather(*killed))
    finally:
        for service in services:
            await service.dispose()
    async with reading(platform) as tables:
        recorded = {row.get("token_sha256") for row in await tables.trail()}
        assert len(tokens) > 10 * ROUNDS * PROCESSES
        assert tokens <= recorded
        await tables.require_gapless_streams()
    await platform.service.fire("checkpoint")
    assert (await proof.verified(platform)).rows >= len(recorded)


async def _killed(lkps: Lkps, service: Service, agent_name: str, after: float) -> set[str]:
    """The hashes of the tokens that reached callers before the process was killed."""
    await service.start()
    tokens: set[str] = set()
    callers = [
        asyncio.create_task(_call(lkps.at(service.url), agent_name, tokens)) for _ in range(AT_ONCE)
    ]
    assert await holds_within(30, lambda: bool(tokens))
    await asyncio.sleep(after)  # the moment is what is tried, not what is waited for
    await service.kill()
    await asyncio.gather(*callers)
    return tokens


async def _call(lkps: Lkps, agent_name: str, tokens: set[str]) -> None:
    """Start sessions until the process is gone."""
    try:
        while True:
            answer = await lkps.start(agent_name)
            if answer.status == 200:
                tokens.add(answer.token_sha256)
    except aiohttp.ClientError:
        return
