"""LKPS, or a gateway in its place, giving the answers that a test wants."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from tests.sdk.parts.ports import free_port

PREFIX = "/gateway"


@dataclass(frozen=True)
class Told:
    """An answer; a text is the page of a gateway."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        if self.body is None:
            return web.Response(status=self.status, headers=self.headers)
        if isinstance(self.body, str):
            return web.Response(text=self.body, status=self.status, content_type="text/html")
        return web.json_response(self.body, status=self.status, headers=self.headers)


type Fate = Told | Literal["cut", "hang"]


def problem(status: int, code: str, retry_after: int | None = None, **members: object) -> Told:
    body = {"status": status, "code": code, "detail": "because", **members}
    wait = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Told(status, body, {"X-Request-ID": "request-1", **wait})


def page(status: int) -> Told:
    return Told(status, "<html>")


class Answerer:
    """Each of `fates` is one request's, in their order; then `answer` is everyone's.

    The requests are in `requests`, and what they said in `bodies`.
    """

    def __init__(self, answer: Told) -> None:
        self.answer = answer
        self.fates: list[Fate] = []
        self.requests: list[web.Request] = []
        self.bodies: list[object] = []
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def sent(self, header: str) -> list[str]:
        return [request.headers[header] for request in self.requests]

    async def give(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        self.bodies.append(await request.json() if request.can_read_body else None)
        fate = self.fates.pop(0) if self.fates else self.answer
        if fate == "hang":
            await asyncio.Event().wait()  # until the caller gives up, which cancels this
        if fate == "cut" and request.transport is not None:
            request.transport.abort()
        return fate.response() if isinstance(fate, Told) else web.Response()


@asynccontextmanager
async def answering(answer: Told) -> AsyncIterator[Answerer]:
    answerer = Answerer(answer)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answerer.give)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", answerer.port).start()
    try:
        yield answerer
    finally:
        await runner.cleanup()
