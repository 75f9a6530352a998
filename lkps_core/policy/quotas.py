"""Quotas: session starts a minute by one client application and by one user, in this process.

Each process counts for itself: with N of them, N times as many may start. What it bounds is what
one caller can cost a process, before anything is read, queued or made.
"""

import math
from collections import deque
from collections.abc import Callable, Hashable

from cachetools import LRUCache

from lkps_core.errors import RateLimited
from lkps_core.identity.principal import Principal
from lkps_core.policy.model import PlatformLimits

WINDOW = 60.0
CALLERS = 8192
"""Callers that are told apart; one that was not seen for the longest is forgotten first."""


class Quotas:
    """`monotonic` is a clock in seconds that never goes back."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._starts: LRUCache[Hashable, deque[float]] = LRUCache(CALLERS)

    def admit(self, caller: Principal, limits: PlatformLimits) -> None:
        """Count one start, or raise RateLimited, which is not counted: at most the limit starts in
        any minute, exactly."""
        counted = [(("application", caller.azp), limits.starts_per_minute_per_application)]
        if caller.kind == "user":
            counted.append((("user", caller.oid), limits.starts_per_minute_per_user))
        now = self._monotonic()
        windows = [(self._window(key, now), most) for key, most in counted]
        for (kind, _), (window, most) in zip((key for key, _ in counted), windows, strict=True):
            if len(window) >= most:
                wait = window[len(window) - most] + WINDOW - now
                raise RateLimited(math.ceil(wait), reason=f"starts_per_minute_per_{kind}")
        for window, _ in windows:
            window.append(now)

    def _window(self, key: Hashable, now: float) -> deque[float]:
        window = self._starts.get(key)
        if window is None:
            window = self._starts[key] = deque()
        while window and now - window[0] >= WINDOW:
            window.popleft()
        return window
