"""Undoing what stands after one of several effects failed, for as long as it takes, bounded."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from lkps_core.errors import Refusal

log = logging.getLogger(__name__)

PATIENCE = 1.5
"""Seconds for which the refused caller waits for the undoing."""

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between attempts; after the last, what remains is left to the sweep."""

LATE = 3.0
"""Seconds after which a request that was given up may have had its effect after all."""


class Undoing:
    """Runs each undoing to its end, in the background when a caller should not wait longer."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._later: set[asyncio.Task[None]] = set()

    async def undo(self, step: Callable[[], Awaitable[None]]) -> None:
        """Return when `step`, which may run many times, is done, or after PATIENCE."""
        task = asyncio.create_task(self._persist(step), name="undoing")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.wait([task], timeout=PATIENCE)

    def later(
        self,
        step: Callable[[], Awaitable[None]],
        after: float | None = None,
        *,
        name: str = "late undoing",
    ) -> None:
        """Run `step` once, `after` seconds or LATE from now, unless the process ends first."""
        task = asyncio.create_task(
            self._persist_later(step, LATE if after is None else after), name=name
        )
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def drained(self) -> None:
        """Return when nothing is being undone any more; what was to come later will not."""
        for task in self._later:
            task.cancel()
        while self._running:
            await asyncio.wait(self._running)

    async def _persist_later(self, step: Callable[[], Awaitable[None]], after: float) -> None:
        await asyncio.sleep(after)
        await self._persist(step)

    async def _persist(self, step: Callable[[], Awaitable[None]]) -> None:
        for pause in (*PAUSES, None):
            try:
                await step()
            except Refusal as error:
                log.warning("an effect is not undone yet", extra={"reason": error.reason})
            else:
                return
            if pause is not None:
                await asyncio.sleep(pause)
        log.error("an effect was not undone; the sweep ends it")
