"""What the test app's timer saw, asked for over HTTP."""

import asyncio

import aiohttp

type Tick = tuple[bool, dict[str, str]]


async def ticks(client: aiohttp.ClientSession) -> list[Tick]:
    async with client.get("/api/ticks") as answer:
        return [(past_due, status) for past_due, status in await answer.json()]


async def ticked(client: aiohttp.ClientSession, times: int) -> list[Tick]:
    async with asyncio.timeout(10):
        while True:
            seen = await ticks(client)
            if len(seen) >= times:
                return seen
            await asyncio.sleep(0.05)
