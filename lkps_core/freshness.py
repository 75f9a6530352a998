"""Rows read through a bounded memory of a few seconds, refreshed off the path while in use."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from cachetools import LRUCache

from lkps_core.errors import Refusal

log = logging.getLogger(__name__)

OLDEST = 5.0
"""Seconds, counted from the start of the read, for which a row may decide."""

REFRESH_AFTER = 2.5

CAPACITY = 4096


@dataclass(frozen=True, slots=True)
class Read[V]:
    """A value, and when by the monotonic clock the reading of it began."""

    value: V
    began: float


class Fresh[K: Hashable, V]:
    """`read` is falsy for what is not there; that is never remembered, so news is seen at once.

    `monotonic` is a clock in seconds that never goes back.
    """

    def __init__(
        self,
        read: Callable[[K], Awaitable[V]],
        monotonic: Callable[[], float],
        oldest: float = OLDEST,
    ) -> None:
        self._read = read
        self._monotonic = monotonic
        self._oldest = oldest
        self._known: LRUCache[K, Read[V]] = LRUCache(CAPACITY)
        self._order = itertools.count()
        self._newest: LRUCache[K, int] = LRUCache(CAPACITY)
        self._refreshing: dict[K, asyncio.Task[None]] = {}

    async def get(self, key: K) -> V:
        """The value, at most `oldest` seconds old; raises what `read` raises."""
        known = self.peek(key)
        if known is None:
            return await self.read(key)
        self.keep(key)
        return known.value

    def peek(self, key: K) -> Read[V] | None:
        """What is remembered and not too old; None when nothing is."""
        known = self._known.get(key)
        is_fresh = known is not None and self._monotonic() - known.began < self._oldest
        return known if is_fresh else None

    def keep(self, key: K) -> None:
        """It is in use: refresh it in the background when it will soon be too old."""
        if self.peek(key) is not None:
            self.renew(key)

    def last(self, key: K) -> V | None:
        """The value as it was last read, however long ago."""
        known = self._known.get(key)
        return known.value if known else None

    def renew(self, key: K) -> None:
        """Read it in the background, unless that was done a moment ago or is under way."""
        known = self._known.get(key)
        is_young = known is not None and self._monotonic() - known.began < REFRESH_AFTER
        if not is_young and key not in self._refreshing:
            self._refreshing[key] = asyncio.create_task(self._refresh(key))

    async def read(self, key: K) -> V:
        """The value as it is now, whatever is remembered."""
        return (await self.look(key)).value

    async def look(self, key: K) -> Read[V]:
        """As `read`, with the moment at which the reading began."""
        began, order = self._monotonic(), next(self._order)
        value = await self._read(key)
        if order < self._newest.get(key, 0):  # it was read or changed since: this is older news
            return Read(value, began)
        self._newest[key] = order
        if value:
            self._known[key] = Read(value, began)
        else:
            self._known.pop(key, None)
        return Read(value, began)

    def holds(self, key: K) -> bool:
        """Whether `get` would answer from memory."""
        known = self._known.get(key)
        return known is not None and self._monotonic() - known.began < self._oldest

    def know(self, key: K, value: V) -> None:
        """It was just written: remember it, and nothing of the reads that are under way."""
        self._newest[key] = next(self._order)
        self._known[key] = Read(value, self._monotonic())

    def forget(self, key: K) -> None:
        """Read it anew, and remember nothing of the reads that are under way."""
        self._known.pop(key, None)
        self._newest[key] = next(self._order)

    async def _refresh(self, key: K) -> None:
        try:
            await self.read(key)
        except Refusal as error:  # the remembered value serves until it is too old
            log.warning("a remembered row was not refreshed", extra={"reason": error.reason})
        finally:
            del self._refreshing[key]
