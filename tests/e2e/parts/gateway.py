"""A gateway before an HTTP server: forwards, remembers what was answered, and can lose answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from aiohttp import web

type Loss = Literal["cut", "hang"]


@dataclass(frozen=True)
class Passed:
    """A request that reached the server and what the server said to it."""

    method: str
    path: str
    status: int
    answer: bytes = field(repr=False)


@dataclass
class Gateway:
    """Loses the answers of requests for which `lose` says how; the server has done its work then.

    `cut` breaks the connection, `hang` leaves the caller waiting. `passed` is what went through.
    """

    target: str
    session: aiohttp.ClientSession
    lose: Callable[[str, str], Loss | None] = lambda _method, _path: None
    passed: list[Passed] = field(default_factory=list)
    lost: list[Passed] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def forward(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = request.headers.copy()
        async with self.session.request(
            request.method,
            self.target + request.raw_path,
            data=await request.read(),
            headers=headers,
            allow_redirects=False,
        ) as answered:
            body = await answered.read()
        passed = Passed(request.method, request.path, answered.status, body)
        loss = self.lose(request.method, request.path)
        if loss is not None:
            self.lost.append(passed)
            await self._lose(request, loss)
        self.passed.append(passed)
        kept = {
            name: value
            for name, value in answered.headers.items()
            if name.lower() not in ("content-length", "transfer-encoding", "connection")
        }
        return web.Response(status=answered.status, headers=kept, body=body)

    async def _lose(self, request: web.BaseRequest, loss: Loss) -> None:
        if loss == "hang":
            await asyncio.Event().wait()  # until the caller gives up, which cancels this
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError


@asynccontextmanager
async def forwarding(target: str) -> AsyncIterator[Gateway]:
    """A gateway to the server at `target`, an origin, until the block ends."""
    async with aiohttp.ClientSession(
        auto_decompress=False, skip_auto_headers=("User-Agent", "Accept", "Content-Type")
    ) as session:
        gateway = Gateway(target, session)
        server = web.Server(gateway.forward, access_log=None, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        gateway.port = runner.addresses[0][1]
        try:
            yield gateway
        finally:
            await runner.cleanup()
