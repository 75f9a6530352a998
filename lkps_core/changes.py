"""A change of what people decide: on the trail first, then made; and told when it was not made."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from lkps_core.audit.event import Event
from lkps_core.audit.stream import Trail
from lkps_core.errors import AuditUnavailable, EditedMeanwhile, StorageUnavailable
from lkps_core.ports import AlreadyThere, Changed, Row, Rows, Stored

log = logging.getLogger(__name__)

type Write = Callable[[], Awaitable[object]]


def putting[T: Row](rows: Rows[T], stored: Stored[T] | None, row: T) -> Write:
    """To write the row over the one that was read, or where none was."""
    return partial(rows.add, row) if stored is None else partial(rows.replace, row, stored.etag)


def removing[T: Row](rows: Rows[T], stored: Stored[T]) -> Write:
    return partial(rows.remove, stored.row, stored.etag)


async def recorded(trail: Trail, event: Event, write: Write) -> None:
    """Record the change, then make it: a change without its row is worse than the reverse.

    Where it is not made, or not certainly, another row of the same action says so. Raises
    EditedMeanwhile when somebody else was faster; AuditUnavailable and StorageUnavailable.
    """
    await trail.record(event)
    try:
        await write()
    except (AlreadyThere, Changed) as error:
        await _record_failure(trail, event, "edited_meanwhile")
        raise EditedMeanwhile from error
    except StorageUnavailable:
        await _record_failure(trail, event, "outcome_unknown")
        raise


async def _record_failure(trail: Trail, event: Event, reason: str) -> None:
    try:
        await trail.record(replace(event, outcome="failed", reason=reason))
    except AuditUnavailable as error:
        log.warning("that a change failed is not on the trail", extra={"reason": error.reason})
