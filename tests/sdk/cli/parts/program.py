"""The command `lkps` as a program of its own, as people start it."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from pathlib import Path

from tests.sdk.cli.parts.command import Ran

ROOT = Path(__file__).parents[4]
BROWSER = f"{sys.executable} -m dev.tenant.browser %s &"
"""A browser without a screen; it needs to be started in the checkout."""


async def run(environment: Mapping[str, str], *arguments: str, seconds: float = 60) -> Ran:
    return await ended(await start(environment, *arguments), seconds)


async def start(
    environment: Mapping[str, str], *arguments: str, stdin: int = DEVNULL, stdout: int = PIPE
) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lkps.cli", *arguments),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "sdk/python/src"), **environment},
        stdin=stdin,
        stdout=stdout,
        stderr=PIPE,
    )


async def ended(process: Process, seconds: float = 60) -> Ran:
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return Ran(process.returncode, (out or b"").decode(), err.decode())
