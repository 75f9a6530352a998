"""Waiting for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually[T](
    condition: Callable[[], T] | Callable[[], Awaitable[T]], seconds: float = 20.0
) -> T:
    """What the condition answers as soon as that is truthy; asked every 50 ms."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        value: T = await answer if isinstance(answer, Awaitable) else answer
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {condition}")
        await asyncio.sleep(0.05)
