"""Cold start: from the start of the process to its first answer, beside a hello-world function."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp

from dev.platform import Platform
from dev.platform.places import LOGS, ROOT
from dev.platform.ports import Ports
from dev.platform.service import Service

HELLO_APP = Path(__file__).parent / "hello"

_LOOK_EVERY = 0.002


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """Medians in milliseconds."""

    hello: float
    session: float

    @property
    def ratio(self) -> float:
        return self.session / self.hello


async def cold_starts(platform: Platform, *, rounds: int) -> ColdStarts:
    """Interleaved; the agent is registered before, the service's memory is empty every time."""
    access_token = await platform.access_token("client")

    async def say_hello(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/api/hello") as response:
            response.raise_for_status()

    async def start(session: aiohttp.ClientSession, url: str) -> None:
        headers = {"Authorization": f"Bearer {access_token}"}
        async with session.post(
            f"{url}/api/session/start", json={"agent_name": "bench"}, headers=headers
        ) as response:
            response.raise_for_status()

    hello: list[float] = []
    sessions: list[float] = []
    for _ in range(rounds):
        hello.append(await _first_answer(platform, HELLO_APP, say_hello))
        sessions.append(await _first_answer(platform, ROOT, start))
    return ColdStarts(median(hello), median(sessions))


async def _first_answer(
    platform: Platform,
    app: Path,
    ask: Callable[[aiohttp.ClientSession, str], Awaitable[None]],
) -> float:
    service = Service(LOGS, Ports().free(), platform.settings, app=app, name="cold")
    async with aiohttp.ClientSession() as session:
        began = time.perf_counter()
        service.launch()
        try:
            while True:
                service.require_alive()
                try:
                    await ask(session, service.url)
                    return 1e3 * (time.perf_counter() - began)
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(_LOOK_EVERY)
        finally:
            await service.dispose()
