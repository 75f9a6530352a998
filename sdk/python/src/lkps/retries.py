"""Retries: when to ask again what did not answer, and the clock that tells the time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from lkps.errors import LkpsError, Unavailable


@dataclass(frozen=True)
class Clock:
    """Time and chance; `chance` is between 0 and 1."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class Patience:
    """How many seconds may pass between two attempts: by itself, and when LKPS asks for it."""

    longest_pause: float
    longest_retry_after: float

    def pause(self, failures: int, error: LkpsError, clock: Clock) -> float:
        """From 1 s, doubling, the latter half of it by chance; longer when LKPS says so."""
        longest = min(self.longest_pause, 2.0**failures)
        pause = longest * (0.5 + 0.5 * clock.chance())
        if isinstance(error, Unavailable):
            return max(pause, min(error.retry_after, self.longest_retry_after))
        return pause
