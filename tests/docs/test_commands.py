"""The guides' commands are run, in their order, against the platform that they start."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dev.platform.conditions import holds_within
from dev.platform.places import STATE
from tests.docs.pages import PAGES, ROOT, commands

NOT_RUN = {
    "make demo\n": "has tests of its own, in tests/e2e/test_demo.py",
    "make test\n": "is what runs this",
    "make bench\n": "takes minutes, and says nothing on a busy machine",
    "make help\nmake check\n": "is run before every commit",
    "make up\n": "is what this starts",
    "LKPS_RENEW_SECONDS=5 LKPS_AGENT_NAMES=assigned make up\n": "is tested in tests/dev/platform",
    "cp dev/.state/local.settings.json local.settings.json\nfunc start --port 7072\n": (
        "needs Azure Functions Core Tools"
    ),
    'pip install "lkps-sdk[agents]"\n': "is not on a package index yet",
    'pip install "./sdk/python[agents]"\n': "would change the environment that this runs in",
}
FOREVER = ".venv/bin/python examples/echo_agent.py start"
STARTED = "registered worker"


@asynccontextmanager
async def running(*argv: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=ROOT, stdout=PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGINT)
        await process.communicate()


def runnable(page: Path) -> list[str]:
    return [block for block in commands(page) if block not in NOT_RUN]


def guides() -> list[Path]:
    return [page for page in PAGES if runnable(page)]


@pytest.mark.timeout(180)
async def test_every_command_of_the_guides_does_what_it_says() -> None:
    described = STATE / "platform.json"
    assert not described.exists(), "make up is running in this checkout: end it first"
    async with running(sys.executable, "-m", "dev.platform"):
        assert await holds_within(60, described.exists)
        for page in guides():
            await _follow(page)


async def _follow(page: Path) -> None:
    """Blocks share what earlier ones define, as in one terminal."""
    script = "set -e\n"
    for block in runnable(page):
        script += block
        async with running("bash", "-c", script) as shell:
            if FOREVER in block:
                await asyncio.wait_for(_until_started(shell), 60)
                return
            output, _ = await asyncio.wait_for(shell.communicate(), 60)
            assert shell.returncode == 0, f"{page.name}:\n{block}\n{output.decode()}"


async def _until_started(shell: Process) -> None:
    assert shell.stdout is not None
    seen = b""
    while STARTED.encode() not in seen:
        line = await shell.stdout.readline()
        assert line, seen.decode()
        seen += line


def test_what_is_not_run_is_in_a_guide() -> None:
    written = {block for page in PAGES for block in commands(page)}
    assert set(NOT_RUN) - written == set()
