"""LiveKit's events, kept instead of told: to be lost, or told later, twice, in another order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Letter:
    """An event as LiveKit sent it, signature and all."""

    body: bytes = field(repr=False)
    authorization: str = field(repr=False)


@dataclass
class Mailbox:
    url: str
    letters: list[Letter] = field(default_factory=list[Letter])

    async def deliver(self, letters: list[Letter], lkps_url: str) -> None:
        """One after the other."""
        async with ClientSession() as session:
            for letter in letters:
                headers = {
                    "Authorization": letter.authorization,
                    "Content-Type": "application/webhook+json",
                }
                url = f"{lkps_url}/api/livekit/webhook"
                async with session.post(url, data=letter.body, headers=headers) as response:
                    assert response.status == 200, await response.text()


@asynccontextmanager
async def receiving() -> AsyncIterator[Mailbox]:
    mailbox = Mailbox("")

    async def receive(request: web.Request) -> web.Response:
        letter = Letter(await request.read(), request.headers["Authorization"])
        mailbox.letters.append(letter)
        return web.Response()

    application = web.Application()
    application.router.add_post("/", receive)
    async with TestServer(application, host="127.0.0.1") as server:
        mailbox.url = str(server.make_url("/"))
        await asyncio.sleep(0)
        yield mailbox
