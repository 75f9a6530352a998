"""Many callers at once: so many at a time, and no more."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable


async def crowd[T, R](ask: Callable[[T], Awaitable[R]], each: Iterable[T], at_once: int) -> list[R]:
    """What each was answered, in no order."""
    waiting, answers = iter(each), list[R]()

    async def one() -> None:
        for item in waiting:
            answers.append(await ask(item))

    async with asyncio.TaskGroup() as callers:
        for _ in range(at_once):
            callers.create_task(one())
    return answers
