"""Processes of the service that are killed under load, at any moment, again and again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import aiohttp

from dev.platform.conditions import holds_within
from dev.platform.service import Service
from tests.e2e.parts.lkps import Lkps

ROUNDS, PROCESSES = 10, 5
LATEST_SECONDS = 0.6

type Caller = Callable[[Lkps, set[str]], Awaitable[None]]
"""Asks once, and adds to the set the SHA-256 of the token that it was given, if any."""


async def killed_at_fifty_moments(lkps: Lkps, callers: Sequence[Caller], seed: int) -> set[str]:
    """The hashes of all tokens that reached callers before their process was killed.

    Each caller asks again and again until it is.
    """
    moments = random.Random(seed)
    services = [lkps.platform.new_service({}) for _ in range(PROCESSES)]
    tokens: set[str] = set()
    try:
        for _ in range(ROUNDS):
            killed = (
                _killed(lkps, service, callers, moments.uniform(0, LATEST_SECONDS))
                for service in services
            )
            tokens.update(*await asyncio.gather(*killed))
    finally:
        for service in services:
            await service.dispose()
    return tokens


async def _killed(
    lkps: Lkps, service: Service, callers: Sequence[Caller], after: float
) -> set[str]:
    await service.start()
    tokens: set[str] = set()
    calling = [
        asyncio.create_task(_until_gone(caller, lkps.at(service.url), tokens)) for caller in callers
    ]
    assert await holds_within(30, lambda: bool(tokens))
    await asyncio.sleep(after)  # the moment is what is tried, not what is waited for
    await service.kill()
    await asyncio.gather(*calling)
    return tokens


async def _until_gone(caller: Caller, lkps: Lkps, tokens: set[str]) -> None:
    try:
        while True:
            await caller(lkps, tokens)
    except aiohttp.ClientError:
        return
