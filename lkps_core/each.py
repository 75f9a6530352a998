"""A step taken for many things, some at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

AT_ONCE = 32


async def each[T](things: Iterable[T], step: Callable[[T], Awaitable[None]]) -> None:
    """Return when the step was taken for all; what it raises is raised."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def take(thing: T) -> None:
        async with at_once:
            await step(thing)

    await asyncio.gather(*(take(thing) for thing in things))
