"""A platform that is interrupted, at whatever moment, leaves no process and no port behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev.platform.conditions import holds_within
from dev.platform.places import ROOT, STATE, run_directory
from dev.platform.ports import is_free
from tests.dev.platform.conftest import Marked

PROGRAM = """
import asyncio, sys
from pathlib import Path
from dev.platform import running
from dev.platform.interrupts import run

async def work():
    async with running(app=Path(sys.argv[1])) as platform:
        blobs = platform.azurite.checkpoints_url.split(":")[2].split("/")[0]
        ports = platform.service.port, platform.azurite.port, blobs, platform.livekit.port
        print(*ports, flush=True)
        await asyncio.Event().wait()

sys.exit(run(work()))
"""


@pytest.fixture
def parent(app: Path, marked: Marked) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(app)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(marked.folder)},
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        yield parent
        parent.kill()


async def ended(parent: subprocess.Popen[str]) -> int:
    assert await holds_within(30, lambda: parent.poll() is not None)
    assert parent.returncode is not None
    return parent.returncode


async def until_children(marked: Marked, parent: subprocess.Popen[str], count: int) -> None:
    assert await holds_within(30, lambda: len(marked.children_of(parent.pid)) >= count)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("children", [1, 3, 4])
async def test_a_signal_during_start_up_leaves_no_process(
    children: int, number: signal.Signals, parent: subprocess.Popen[str], marked: Marked
) -> None:
    await until_children(marked, parent, children)

    parent.send_signal(number)

    assert await ended(parent) == 128 + number
    assert marked.processes() == []
    assert not list((STATE / "runs").glob(f"{parent.pid}-*"))


async def test_a_signal_to_a_running_platform_frees_its_ports(
    parent: subprocess.Popen[str], marked: Marked
) -> None:
    ports = await _ports(parent)

    parent.send_signal(signal.SIGTERM)

    assert await ended(parent) == 128 + signal.SIGTERM
    assert marked.processes() == []
    assert all(is_free(port) for port in ports)


async def test_a_second_interruption_does_not_cut_the_ending_short(
    parent: subprocess.Popen[str], marked: Marked
) -> None:
    await _ports(parent)

    for _ in range(20):
        parent.send_signal(signal.SIGINT)
        await asyncio.sleep(0)

    assert await ended(parent) == 128 + signal.SIGINT
    assert marked.processes() == []


@pytest.mark.skipif(sys.platform != "linux", reason="only its kernel ends children with a parent")
@pytest.mark.parametrize("moment", [until_children, None])
async def test_a_killed_parent_takes_its_children_along(
    moment: Callable[..., object] | None, parent: subprocess.Popen[str], marked: Marked
) -> None:
    if moment:
        await until_children(marked, parent, 3)
    else:
        await _ports(parent)

    parent.kill()
    await ended(parent)

    assert await holds_within(5, lambda: marked.processes() == [])
    with run_directory():
        assert not list((STATE / "runs").glob(f"{parent.pid}-*"))


async def _ports(parent: subprocess.Popen[str]) -> list[int]:
    assert parent.stdout
    line = await asyncio.to_thread(parent.stdout.readline)
    return [int(port) for port in line.split()]
