"""The background: an event loop in a thread of its own, for callers that have none."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """Begins with the first call, after a server has forked its workers; all threads share it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name="lkps", daemon=True)
        self._beginning = threading.Lock()
        self._is_ready = threading.Event()

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What it returns or raises; an interruption of the caller cancels it."""
        loop = self._running_loop()
        running = asyncio.run_coroutine_threadsafe(work(), loop)
        try:
            return running.result()
        finally:
            running.cancel()

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancels what still runs, after `last`; nothing where nothing has begun."""
        if self._loop is None or not self._thread.is_alive():
            return
        self.run(last)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._beginning:
            if self._loop is None:
                self._thread.start()
                self._is_ready.wait()
        if self._loop is None or not self._thread.is_alive():
            raise RuntimeError("it is closed, or of the process before a fork: make another")
        return self._loop

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._is_ready.set()
            self._loop.run_forever()
