"""What timers do: each its one thing, and where it cannot be done the log says why."""

import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from lkps_core.errors import Refusal
from lkps_core.services import Services

log = logging.getLogger(__name__)

type Timer = Literal["checkpoint", "index", "retention", "sweep", "full_sweep"]


async def due(timer: Timer, services: Callable[[], Awaitable[Services]]) -> None:
    """Raise the Refusal after it was logged: so the host counts the run as failed."""
    try:
        at_work = await services()
        runs = {
            "checkpoint": at_work.checkpointing.run,
            "index": at_work.indexing.run,
            "retention": at_work.retention.run,
            "sweep": at_work.sweeping.due,
            "full_sweep": at_work.sweeping.full,
        }
        await runs[timer]()
    except Refusal as refusal:
        reason = {"timer": timer, "code": refusal.code, "reason": refusal.reason}
        log.error("a timer could not do its work", extra=reason)  # noqa: TRY400
        raise
