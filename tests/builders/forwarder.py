"""A way to a real server that counts what goes through and can lose an answer."""

from types import TracebackType
from typing import Self

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

_OF_ONE_HOP = {"host", "content-length", "transfer-encoding", "connection"}


class Forwarder:
    """`requests` has the method and path of each; `answers_to_lose` counts down."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.requests: list[str] = []
        self.answers_to_lose = 0
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._server = TestServer(app)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    async def __aenter__(self) -> Self:
        self._session = ClientSession()
        await self._server.start_server()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.close()
        await self._session.close()

    async def _forward(self, request: web.Request) -> web.Response:
        self.requests.append(f"{request.method} {request.path}")
        address = URL(self._target + request.raw_path, encoded=True)
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _OF_ONE_HOP
        }
        body = await request.read()
        async with self._session.request(
            request.method,
            address,
            data=body or None,
            headers=headers,
            skip_auto_headers=("Content-Type",),  # requests are signed with theirs
        ) as answer:
            content = await answer.read()
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            assert request.transport is not None
            request.transport.close()
        kept = {
            name: value for name, value in answer.headers.items() if name.lower() not in _OF_ONE_HOP
        }
        return web.Response(status=answer.status, body=content, headers=kept)
