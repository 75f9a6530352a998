"""The client application as a process of its own, followed step by step."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from dev.platform.places import ROOT

STEP_SECONDS = 30.0


class Client:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def reaches(self, step: str) -> dict[str, Any]:
        """What it says of this step, which must be its next one."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), STEP_SECONDS)
        said: dict[str, Any] = json.loads(line or "{}")
        assert said.get("step") == step, said
        return said

    def goes_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    async def ends(self) -> int:
        return await asyncio.wait_for(self._process.wait(), STEP_SECONDS)

    @property
    def environment(self) -> bytes:
        return Path(f"/proc/{self._process.pid}/environ").read_bytes()


@asynccontextmanager
async def client_program(environment: Mapping[str, str], agent_name: str) -> AsyncIterator[Client]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests/e2e/programs/client.py"),
        agent_name,
        env={**environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sdk/python/src'}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Client(process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
