"""Refusals on the trail: the first of a kind as a row, repeats as one counted row a minute."""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from lkps_core.audit.event import Event
from lkps_core.audit.stream import Trail
from lkps_core.errors import AuditUnavailable, RateLimited
from lkps_core.ports import Clock

log = logging.getLogger(__name__)

WINDOW = timedelta(minutes=1)

DISTINCT = 20
"""Kinds of refusal that one principal has rows for in a minute; those beyond count as one."""

KINDS = 10_000
"""Kinds of refusal that are kept apart in a minute, all principals together."""

type _Kind = tuple[str | None, ...]


@dataclass(slots=True)
class _Repeats:
    example: Event
    count: int = 0


class RefusalLog:
    """Counts refusals in memory and writes them when their minute is over.

    A refusal before authentication has no principal: it never costs a row of its own.
    """

    def __init__(self, trail: Trail, clock: Clock) -> None:
        self._trail = trail
        self._clock = clock
        self._kinds: dict[_Kind, _Repeats] = {}
        self._of_principal: dict[_Kind, int] = {}
        self._end: asyncio.Task[None] | None = None

    async def record(self, event: Event) -> None:
        """Return when the refusal may be answered; AuditUnavailable when it cannot be recorded."""
        self._open_window()
        kind = self._kind_of(event)
        known = self._kinds.get(kind)
        if known is None:
            known = self._kinds[kind] = _Repeats(_counted_as(event, kind))
            if event.oid is not None and kind[-1] != _MANY:
                await self._write_first(event, kind, known)
                return
        known.count += 1
        known.example = replace(known.example, last_at=event.at)

    async def flush(self) -> None:
        """Write what has been counted; what cannot be written now is kept for the next time."""
        kinds, self._kinds, self._of_principal = self._kinds, {}, {}
        counted = [(kind, repeats) for kind, repeats in kinds.items() if repeats.count]
        for place, (_, repeats) in enumerate(counted):
            try:
                await self._trail.record(
                    replace(repeats.example, at=self._clock(), count=repeats.count)
                )
            except (
                AuditUnavailable,
                RateLimited,
            ) as error:  # each of the others would wait as long for nothing
                log.warning("counted refusals are not recorded yet", extra={"reason": error.reason})
                for kind, kept in counted[place:]:
                    self._put_back(kind, kept)
                return

    async def close(self) -> None:
        """End the window now."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        await self.flush()

    async def _write_first(self, event: Event, kind: _Kind, first: _Repeats) -> None:
        try:
            await self._trail.record(event)
        except RateLimited:  # its principal has too many rows waiting: this one is counted instead
            first.count += 1
        except AuditUnavailable:
            if not first.count and self._kinds.get(kind) is first:
                del self._kinds[kind]  # else those counted meanwhile would be lost with it
            raise

    def _kind_of(self, event: Event) -> _Kind:
        principal = (event.tid, event.oid, event.azp)
        kind = (*principal, event.agent_name if event.oid else None, event.reason)
        if kind in self._kinds:
            return kind
        seen = self._of_principal.get(principal, 0)
        if (seen >= DISTINCT and event.oid is not None) or len(self._kinds) >= KINDS:
            whose = principal if len(self._kinds) < KINDS else (None, None, None)
            return (*whose, None, _MANY)
        self._of_principal[principal] = seen + 1
        return kind

    def _put_back(self, kind: _Kind, repeats: _Repeats) -> None:
        later = self._kinds.setdefault(kind, repeats)
        if later is not repeats:
            later.count += repeats.count
            later.example = replace(later.example, first_at=repeats.example.first_at)
        self._open_window()

    def _open_window(self) -> None:
        if self._end is None:
            self._end = asyncio.create_task(self._end_window(), name="refusal window")

    async def _end_window(self) -> None:
        await asyncio.sleep(WINDOW.total_seconds())
        self._end = None
        await self.flush()


_MANY = "many_refusals"


def _counted_as(event: Event, kind: _Kind) -> Event:
    """The counted row for a kind: what its members share, and nothing of one request alone."""
    tid, oid, azp, agent_name, reason = kind
    return Event(
        at=event.at,
        action="request.refused",
        outcome=event.outcome,
        reason=reason,
        kind=event.kind if oid else None,
        tid=tid,
        oid=oid,
        azp=azp,
        agent_name=agent_name,
        first_at=event.at,
        last_at=event.at,
    )
