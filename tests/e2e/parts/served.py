"""An example that serves, as a process of its own."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from dev.platform.places import ROOT
from tests.sdk.parts.waiting import eventually


@asynccontextmanager
async def served(
    program: str, environment: Mapping[str, str], answers: Callable[[], Awaitable[bool]]
) -> AsyncIterator[Process]:
    """From when it answers until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / program),
        env={"PYTHONPATH": str(ROOT / "sdk/python/src"), **environment},
        start_new_session=True,
    )
    try:
        await eventually(answers)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
