"""The worker's connection to LiveKit, over real sockets, with a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from lkps import upgrades
from lkps.client import AgentDescription
from lkps.lease import Lease
from lkps.retries import Clock
from lkps.upgrades import Upgrades
from tests.sdk.parts.ports import free_port
from tests.sdk.parts.registrar import MemoryRegistrar, MovedClock
from tests.sdk.parts.waiting import eventually

TOKEN = "token-1"


class Bench:
    """`clock` is the connection's; the lease's own stands still."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self.clock = MovedClock()
        self.lkps = MemoryRegistrar(MovedClock(), livekit_url=f"ws://127.0.0.1:{port}")
        still = Clock(now=self.lkps.clock.now, sleep=self.lkps.clock.sleep)
        self.lease = Lease(
            self.lkps, AgentDescription("concierge"), changed=lambda _: None, clock=still
        )
        moved = Clock(now=self.clock.now, sleep=self.clock.sleep, chance=lambda: 0.0)
        self.upgrades = Upgrades(session, self.lease, clock=moved)

    def connect(self) -> "asyncio.Task[aiohttp.ClientWebSocketResponse]":
        return asyncio.create_task(self.upgrades.ws_connect(f"{self.lease.livekit_url}/agent"))


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def bench(port: int) -> AsyncIterator[Bench]:
    async with aiohttp.ClientSession() as session:
        bench = Bench(session, port)
        await bench.lease.open()
        yield bench
        await bench.lease.close()


@asynccontextmanager
async def livekit(port: int) -> AsyncIterator[list[str]]:
    """Takes every WebSocket; gives the credentials that it saw."""
    seen: list[str] = []

    async def accept(request: web.Request) -> web.WebSocketResponse:
        seen.append(request.headers["Authorization"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/agent", accept)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield seen
    finally:
        await runner.cleanup()


async def test_an_hour_without_livekit_is_told_once_and_its_end_once(
    bench: Bench, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lkps")
    connecting = bench.connect()
    bench.clock.allow(250)
    await eventually(lambda: len(bench.clock.slept) == 250)
    assert not connecting.done()

    async with livekit(port) as seen:
        bench.clock.allow(1)
        socket = await connecting
        bench.upgrades.registered()
        await socket.close()

    assert sum(bench.clock.slept) > 3600
    assert bench.clock.slept[:6] == [1, 2, 4, 8, 15, 15]
    assert max(bench.clock.slept) == 15
    assert seen == [f"Bearer {TOKEN}"]
    first, last = caplog.messages
    assert first.startswith("the agent is not connected to LiveKit, trying again: Client")
    assert last == "the agent is connected to LiveKit again"
    assert TOKEN not in caplog.text


async def test_a_reconnection_that_succeeds_pauses_for_nothing_and_says_nothing(
    bench: Bench, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with livekit(port) as seen:
        for _ in range(3):
            socket = await bench.connect()
            bench.upgrades.registered()
            await socket.close()

    assert len(seen) == 3
    assert bench.clock.slept == []
    assert caplog.messages == []


async def test_a_livekit_that_takes_connections_and_no_worker_is_not_hammered(
    bench: Bench, port: int
) -> None:
    bench.clock.allow(3)
    async with livekit(port):
        for _ in range(4):
            await (await bench.connect()).close()

    assert bench.clock.slept == [1, 2, 4]


async def test_a_livekit_that_hangs_is_given_up_and_asked_again(
    bench: Bench, port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upgrades, "_SECONDS", 0.2)
    connections: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, it: connections.append(it), "127.0.0.1", port)
    connecting = bench.connect()
    bench.clock.allow(1)
    await eventually(lambda: len(connections) == 2)
    for one in connections:
        one.transport.abort()
    silent.close()
    await silent.wait_closed()

    async with livekit(port):
        bench.clock.allow(2)
        await (await connecting).close()

    assert len(caplog.messages) == 1
    assert caplog.messages[0].endswith("trying again: TimeoutError")


async def test_a_livekit_that_moved_meanwhile_is_the_workers_to_call(bench: Bench) -> None:
    connecting = bench.connect()
    await eventually(lambda: bench.upgrades._warned)
    bench.lkps.live.clear()
    bench.lkps.livekit_url = "wss://other.example"
    bench.lease.token_was_refused()
    await bench.lease.token()
    bench.clock.allow(1)

    with pytest.raises(aiohttp.ClientConnectionError, match="elsewhere"):
        await connecting
