"""The example's backend as a process of its own, and a browser before it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from dev.platform.places import ROOT
from tests.sdk.parts.ports import free_port
from tests.sdk.parts.waiting import eventually


@dataclass(frozen=True)
class Backend:
    url: str
    process: asyncio.subprocess.Process
    browser: aiohttp.ClientSession

    async def starts_session(self, **user: str) -> tuple[int, Mapping[str, str], Any]:
        """Status, headers and body of the answer to the user with that `id` and `name`."""
        headers = {f"X-MS-CLIENT-PRINCIPAL-{one.upper()}": value for one, value in user.items()}
        async with self.browser.post(f"{self.url}/session", headers=headers) as answer:
            is_json = answer.content_type == "application/json"
            return (
                answer.status,
                answer.headers.copy(),
                await (answer.json() if is_json else answer.text()),
            )

    @property
    def environment(self) -> bytes:
        return Path(f"/proc/{self.process.pid}/environ").read_bytes()

    async def answers(self) -> bool:
        try:
            await self.starts_session()
        except aiohttp.ClientConnectionError:
            return False
        return True


@asynccontextmanager
async def backend(environment: Mapping[str, str], agent_name: str) -> AsyncIterator[Backend]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "examples/backend_client.py"),
        env={
            **environment,
            "PYTHONPATH": str(ROOT / "sdk/python/src"),
            "BACKEND_AGENT_NAME": agent_name,
            "BACKEND_PORT": str(port),
        },
        start_new_session=True,
    )
    try:
        async with aiohttp.ClientSession() as browser:
            running = Backend(f"http://127.0.0.1:{port}", process, browser)
            await eventually(running.answers)
            yield running
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
