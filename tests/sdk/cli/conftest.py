"""The command, a stand-in for LKPS, and an application that the tenant's double knows."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn
from tests.sdk.parts.tenant import CLIENT_ID, CLIENT_SECRET, TENANT_ID, TenantDouble


@pytest.fixture
async def service(tenant: TenantDouble) -> AsyncIterator[LkpsStandIn]:
    service = LkpsStandIn(tenant.issued)
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
def bare() -> Command:
    """With nothing in its environment that it needs."""
    return Command({"PATH": os.environ["PATH"]})


@pytest.fixture
def lkps(bare: Command, service: LkpsStandIn, tenant: TenantDouble, tmp_path: Path) -> Command:
    """As an application, which needs no login."""
    bare.environment |= {
        "LKPS_CONFIG_DIR": str(tmp_path / "config"),
        "LKPS_URL": service.url,
        "LKPS_API_CLIENT_ID": "api-of-lkps",
        "LKPS_AUTHORITY": tenant.authority,
        "AZURE_TENANT_ID": TENANT_ID,
        "AZURE_CLIENT_ID": CLIENT_ID,
        "AZURE_CLIENT_SECRET": CLIENT_SECRET,
        "REQUESTS_CA_BUNDLE": str(tenant.ca_file),
    }
    return bare
