"""A gateway before an HTTP server: forwards, remembers, and loses or delays what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from aiohttp import web

type Loss = Literal["cut", "hang"]

_BUSY = {"odata.error": {"code": "ServerBusy", "message": {"lang": "en-US", "value": "busy"}}}
_HOP_BY_HOP = ("content-length", "transfer-encoding", "connection")


@dataclass(frozen=True)
class Passed:
    """A request that reached the server and what the server said to it."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    answer: bytes = field(repr=False)


def _nothing(_method: str, _path: str) -> Loss | None:
    return None


@dataclass
class Gateway:
    """What the server did is in `passed`, and in `lost` when its answer did not arrive.

    `lose` says of a method and a path how the answer is lost: `cut` breaks the connection, `hang`
    leaves the caller waiting. A caller that gives up does not stop what the server was asked. While
    `is_busy`, requests are refused as Table Storage refuses them beyond its limits, unasked.
    """

    target: str
    session: aiohttp.ClientSession
    url: str = ""
    lose: Callable[[str, str], Loss | None] = _nothing
    passed: list[Passed] = field(default_factory=list)
    lost: list[Passed] = field(default_factory=list)
    is_busy: bool = False

    def __post_init__(self) -> None:
        self._asked: set[asyncio.Task[Passed]] = set()
        self._late: str | None = None
        self._until = ""
        self._about = b""
        self._released = asyncio.Event()

    def delay(self, path: str, *, until: str, about: str) -> None:
        """The next request to `path` reaches the server once one to `until` was answered.

        Both with `about` in their bodies: others may still put away what they left.
        """
        self._late, self._until, self._about = path, until, about.encode()

    async def all_is_done(self) -> None:
        """Returns when the server has answered everything that it was asked."""
        await asyncio.gather(*self._asked)

    async def forward(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.is_busy:
            return web.json_response(_BUSY, status=503)
        asked = asyncio.create_task(self._ask(request, await request.read()))
        self._asked.add(asked)
        passed = await asyncio.shield(asked)
        loss = self.lose(request.method, request.path)
        (self.lost if loss else self.passed).append(passed)
        if loss == "hang":
            await asyncio.Event().wait()  # until the caller gives up, which cancels this
        if loss == "cut" and request.transport is not None:
            request.transport.abort()
        kept = {
            name: value for name, value in passed.headers.items() if name.lower() not in _HOP_BY_HOP
        }
        return web.Response(status=passed.status, headers=kept, body=passed.answer)

    async def end(self) -> None:
        for asked in self._asked:
            asked.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)

    async def _ask(self, request: web.BaseRequest, body: bytes) -> Passed:
        if request.path == self._late and self._about in body:
            self._late = None
            await self._released.wait()
        async with self.session.request(
            request.method,
            self.target + request.raw_path,
            data=body,
            headers=request.headers.copy(),
            allow_redirects=False,
        ) as answered:
            answer = await answered.read()
        if request.path == self._until and self._about in body:
            self._released.set()
        return Passed(request.method, request.path, answered.status, answered.headers, answer)


@asynccontextmanager
async def forwarding(target: str, port: int = 0) -> AsyncIterator[Gateway]:
    """A gateway to the server at `target`, an origin, until the block ends."""
    async with aiohttp.ClientSession(
        auto_decompress=False, skip_auto_headers=("User-Agent", "Accept", "Content-Type")
    ) as session:
        gateway = Gateway(target, session)
        server = web.Server(gateway.forward, access_log=None, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield gateway
        finally:
            await runner.cleanup()
            await gateway.end()
