"""Running a command so that an interruption, at any moment, lets it put everything away first."""

import asyncio
import signal
from collections.abc import Coroutine

_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(work: Coroutine[object, object, None]) -> int:
    """The exit status: 0, or 128 and the number of the signal that interrupted.

    Only the first interruption counts: what follows it is bounded and must not be cut short.
    """
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[object, object, None]) -> int:
    received: list[signal.Signals] = []
    task = asyncio.ensure_future(work)

    def interrupt(number: signal.Signals) -> None:
        if not received:
            task.cancel()
        received.append(number)

    for number in _INTERRUPTIONS:
        asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
    try:
        await task
    except asyncio.CancelledError:
        if not received:
            raise
    return 128 + received[0] if received else 0
