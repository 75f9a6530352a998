"""The command starts, says when it is ready, stops when told to, and stays on loopback."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from dev.tenant.description import Tenant
from dev.tenant.server import Options, running

PORTS = ("--http-port", "0", "--https-port", "0")


async def started(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dev.tenant", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_a_signal_and_ends_with_status_0(
    state: Path, ending: signal.Signals
) -> None:
    process = await started("--state", str(state), *PORTS)
    try:
        assert process.stdout is not None
        ready = await process.stdout.readline()
        tenant = Tenant.load(state / "tenant.json")
        assert tenant.tenant_id in ready.decode()
        assert (await tenant.access_token("alice")).count(".") == 2
    finally:
        process.send_signal(ending)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    "refused", ["--host=0.0.0.0", "--host=localhost", "--token-lifetime=0", "--token-lifetime=soon"]
)
async def test_it_refuses_an_unfit_argument_with_status_2(tmp_path: Path, refused: str) -> None:
    state = tmp_path / "state"
    process = await started("--state", str(state), *PORTS, refused)
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert f"argument {refused.partition('=')[0]}" in errors.decode()
    assert not state.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", "127.0.0.2"])
async def test_the_server_refuses_a_host_that_is_not_loopback(tmp_path: Path, host: str) -> None:
    state = tmp_path / "state"
    with pytest.raises(ValueError, match="neither"):
        async with running(Options(state, host=host)):
            pass
    assert not state.exists()
