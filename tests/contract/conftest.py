"""The real parts that the adapters talk to, one of each for all tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dev.platform import Platform, running
from lkps_core.adapters.tables import TablesAccount
from tests.builders.forwarder import Forwarder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def platform() -> AsyncIterator[Platform]:
    async with running("azurite", "livekit") as platform:
        yield platform


@pytest.fixture
async def forwarder(platform: Platform) -> AsyncIterator[Forwarder]:
    async with Forwarder(f"http://127.0.0.1:{platform.azurite.port}") as forwarder:
        yield forwarder


@pytest.fixture
async def account(platform: Platform, forwarder: Forwarder) -> AsyncIterator[TablesAccount]:
    """Azurite's account, reached through the forwarder."""
    direct = f"http://127.0.0.1:{platform.azurite.port}"
    connection = platform.azurite.connection_string.replace(direct, forwarder.origin)
    account = TablesAccount.from_connection_string(connection)
    yield account
    await account.close()
