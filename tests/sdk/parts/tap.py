"""A tap on LiveKit's wire: forwards TCP, keeps the first head of each connection, can cut them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """The head of one connection's first request."""

    path: str
    authorization: str


class Tap:
    """Stands before `port`; `workers` are the worker connections it saw, oldest first."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.StreamWriter, Request] = {}
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the tap is not started")
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def workers(self) -> list[Request]:
        return [request for request in self.requests if request.path.startswith("/agent")]

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()

    def cut_workers(self) -> None:
        for writer, request in self._open.items():
            if request.path.startswith("/agent"):
                writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            request = _parse(head.decode())
            self.requests.append(request)
            self._open[writer] = request
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._target)
            inner_writer.write(head)
            both = [_pump(reader, inner_writer), _pump(inner_reader, writer)]
            await asyncio.gather(*both)
        self._open.pop(writer, None)
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()


def _parse(head: str) -> Request:
    first, *lines = head.split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
    }
    return Request(path=first.split(" ")[1], authorization=headers.get("authorization", ""))
