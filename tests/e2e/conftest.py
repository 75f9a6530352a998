"""One platform for all tests that break nothing, and what looks at it from every side."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dev.platform import Platform, running
from tests.e2e.parts.lkps import Lkps, calling, new_agent_name
from tests.e2e.parts.rooms import Rooms, looking
from tests.e2e.parts.tables import Tables, reading
from tests.sdk.parts.agent import AgentLauncher


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def platform() -> AsyncIterator[Platform]:
    async with running() as platform:
        yield platform


@pytest.fixture
async def lkps(platform: Platform) -> AsyncIterator[Lkps]:
    async with calling(platform) as lkps:
        yield lkps


@pytest.fixture
async def tables(platform: Platform) -> AsyncIterator[Tables]:
    async with reading(platform) as tables:
        yield tables


@pytest.fixture
async def rooms(platform: Platform) -> AsyncIterator[Rooms]:
    async with looking(platform) as rooms:
        yield rooms


@pytest.fixture
def agent_name() -> str:
    return new_agent_name()


@pytest.fixture
async def agents(
    platform: Platform, agent_name: str, tmp_path: Path
) -> AsyncIterator[AgentLauncher]:
    """Starts agents as the tenant's application `agent`, under the test's own agent name."""
    launcher = AgentLauncher(
        tmp_path,
        {
            **platform.agent_environment("agent"),
            "ECHO_AGENT_ALWAYS_ACCEPT": "1",
            "ECHO_AGENT_NAME": agent_name,
        },
    )
    yield launcher
    await launcher.stop()
