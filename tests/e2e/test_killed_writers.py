"""Processes that are killed while they write: no token without its row, and the trail verifies."""

from collections.abc import AsyncIterator

import pytest

from dev.demo import proof
from dev.platform import running
from tests.e2e.parts.killing import PROCESSES, ROUNDS, killed_at_fifty_moments
from tests.e2e.parts.lkps import Lkps, calling, new_agent_name
from tests.e2e.parts.tables import reading

AT_ONCE = 8


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

    async def start(process: Lkps, tokens: set[str]) -> None:
        answer = await process.start(agent_name)
        if answer.status == 200:
            tokens.add(answer.token_sha256)

    tokens = await killed_at_fifty_moments(lkps, [start] * AT_ONCE, seed=20_261_125)

    async with reading(platform) as tables:
        recorded = {row.get("token_sha256") for row in await tables.trail()}
        assert len(tokens) > 10 * ROUNDS * PROCESSES
        assert tokens <= recorded
        await tables.require_gapless_streams()
    await platform.service.fire("checkpoint")
    assert (await proof.verified(platform)).rows >= len(recorded)
