"""The example's backend as a process of its own, and a browser before it."""

from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.parts.served import served
from tests.sdk.parts.ports import free_port


@dataclass(frozen=True)
class Backend:
    url: str
    process: Process
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


@asynccontextmanager
async def backend(environment: Mapping[str, str], agent_name: str) -> AsyncIterator[Backend]:
    port = free_port()
    named = {"BACKEND_AGENT_NAME": agent_name, "BACKEND_PORT": str(port)}
    async with aiohttp.ClientSession() as browser:

        async def answers() -> bool:
            try:
                async with browser.post(f"{url}/session"):
                    return True
            except aiohttp.ClientConnectionError:
                return False

        url = f"http://127.0.0.1:{port}"
        program = served("examples/backend_client.py", {**environment, **named}, answers)
        async with program as process:
            yield Backend(url, process, browser)
