"""Retries: when to ask again what did not answer, and the clock that tells the time."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from lkps.errors import (
    EditedMeanwhile,
    LkpsError,
    RateLimited,
    Refused,
    TooManySessions,
    Unavailable,
)

logger = logging.getLogger("lkps")

T = TypeVar("T")

_PASSING = (Unavailable, RateLimited, TooManySessions, EditedMeanwhile)
_LEAST_SECONDS = 1.0  # with less left, an attempt would hardly be answered


@dataclass(frozen=True)
class Clock:
    """Time and chance; `monotonic` counts seconds, `chance` is between 0 and 1."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class Patience:
    """How many seconds may pass between two attempts: by itself, and when LKPS asks for it."""

    longest_pause: float
    longest_retry_after: float

    def pause(self, failures: int, error: LkpsError, clock: Clock) -> float:
        """From 1 s, doubling, the latter half of it by chance; longer when LKPS says so.

        Whoever LKPS told the same does not come back at the same moment: up to as long again, but
        `longest_pause`, is by chance.
        """
        pause = _by_chance(min(self.longest_pause, 2.0**failures), clock)
        asked = min(_retry_after(error), self.longest_retry_after)
        return max(pause, asked + min(asked, self.longest_pause) * clock.chance())


@dataclass(frozen=True)
class Deadline:
    """Within how many seconds a call is answered or fails, and one attempt of it."""

    call: float
    attempt: float

    async def keep(self, attempt: Callable[[float], Awaitable[T]], clock: Clock) -> T:
        """What the first attempt that succeeds gives; each is told how many seconds it has.

        What passes by itself is asked again, from a quarter of a second on, doubling up to 4 s; or,
        when LKPS says when, then. Any other error is raised at once, and the last one when there is
        no time for another attempt.
        """
        over, failures = clock.monotonic() + self.call, 0
        while True:
            try:
                return await attempt(min(over - clock.monotonic(), self.attempt))
            except _PASSING as error:
                failures += 1
                pause = _retry_after(error) + _by_chance(min(4.0, 2.0**failures / 4), clock)
                if clock.monotonic() + pause + _LEAST_SECONDS > over:
                    raise
                if failures == 1:
                    logger.warning("LKPS is asked again: %s", error)
            await clock.sleep(pause)


def _by_chance(longest: float, clock: Clock) -> float:
    """The latter half of it is."""
    return longest * (0.5 + 0.5 * clock.chance())


def _retry_after(error: LkpsError) -> float:
    return error.retry_after if isinstance(error, Unavailable | Refused) else 0.0
