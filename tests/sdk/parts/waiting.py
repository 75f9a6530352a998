"""Waiting for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Until what the condition answers is truthy; it is asked every 50 ms."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if await answer if isinstance(answer, Awaitable) else answer:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {condition}")
        await asyncio.sleep(0.05)
