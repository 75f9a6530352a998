"""Parts of the SDK's tests: the real livekit-server behind a tap, doubles of LKPS and Entra ID."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dev.demo.caller import Caller
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.livekit import LiveKit
from tests.sdk.parts.lkps import LkpsDouble
from tests.sdk.parts.tap import Tap
from tests.sdk.parts.tenant import CLIENT_ID, CLIENT_SECRET, TENANT_ID, TenantDouble


@pytest.fixture
async def livekit(tmp_path: Path) -> AsyncIterator[LiveKit]:
    server = LiveKit(tmp_path)
    try:
        await server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def tap(livekit: LiveKit) -> AsyncIterator[Tap]:
    tap = Tap(livekit.port)
    await tap.start()
    yield tap
    await tap.stop()


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[TenantDouble]:
    tenant = TenantDouble(tmp_path)
    tenant.start()
    yield tenant
    tenant.stop()


@pytest.fixture
async def lkps(livekit: LiveKit, tap: Tap, tenant: TenantDouble) -> AsyncIterator[LkpsDouble]:
    lkps = LkpsDouble(livekit, tap.url, tenant.issued)
    await lkps.start()
    yield lkps
    await lkps.stop()


@pytest.fixture
async def agents(
    tmp_path: Path, lkps: LkpsDouble, tenant: TenantDouble
) -> AsyncIterator[AgentLauncher]:
    launcher = AgentLauncher(
        tmp_path,
        {
            "LKPS_URL": lkps.url,
            "LKPS_API_CLIENT_ID": "api-of-lkps",
            "LKPS_AUTHORITY": tenant.authority,
            "AZURE_TENANT_ID": TENANT_ID,
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_CLIENT_SECRET": CLIENT_SECRET,
            "REQUESTS_CA_BUNDLE": str(tenant.ca_file),
            "ECHO_AGENT_ALWAYS_ACCEPT": "1",
        },
    )
    yield launcher
    await launcher.stop()


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    caller = Caller()
    yield caller
    await caller.leave()
