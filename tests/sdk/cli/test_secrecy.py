"""The command tells nothing secret, however much its libraries log."""

import logging

import pytest

from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn
from tests.sdk.parts.tenant import CLIENT_SECRET, TenantDouble, refused


async def test_the_command_at_debug_tells_nothing_secret(
    lkps: Command,
    service: LkpsStandIn,
    tenant: TenantDouble,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    service.answers_with("GET", "agents", {"agents": []})
    ran = [await lkps("agents", "list"), await lkps("agents", "show", "nobody")]
    tenant.answers = [refused(7000215)] * 3
    ran.append(await lkps("agents", "list"))

    told = [one.out + one.err for one in ran]
    told += [f"{one.getMessage()} {vars(one)} {one.exc_text}" for one in caplog.records]
    assert [one.code for one in ran] == [0, 1, 4]
    assert tenant.issued
    for secret in (*tenant.issued, CLIENT_SECRET):
        assert [one for one in told if secret in one] == []
