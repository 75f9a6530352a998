"""Waiting for a condition, for so long and no longer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable

INTERVAL_SECONDS = 0.02


async def holds_within(seconds: float, condition: Callable[[], bool | Awaitable[bool]]) -> bool:
    """Whether `condition` came to hold; it is asked at least once."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if await answer if isawaitable(answer) else answer:
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(INTERVAL_SECONDS)
