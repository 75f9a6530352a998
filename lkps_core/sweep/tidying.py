"""Rows whose time is over: leases of instances that fell silent, and blocks that have ended."""

from datetime import timedelta

from lkps_core.agents.registrations import Registrations
from lkps_core.audit.stream import Trail
from lkps_core.call import OwnAct
from lkps_core.policy.model import Revocation
from lkps_core.ports import Changed, Clock, Rows
from lkps_core.sweep.attending import OPERATION
from lkps_core.sweep.model import Tally

SILENT = timedelta(minutes=10)
"""How long after its lease an instance may still renew: LKPS itself may have been away."""

MOST = 200
"""Rows of each kind that one run removes."""


class Tidying:
    def __init__(
        self,
        registrations: Registrations,
        revocations: Rows[Revocation],
        trail: Trail,
        clock: Clock,
    ) -> None:
        self._registrations = registrations
        self._revocations = revocations
        self._trail = trail
        self._clock = clock

    async def tidy(self, tally: Tally, *, dry_run: bool) -> None:
        await self._end_leases(tally, dry_run=dry_run)
        await self._remove_blocks(tally, dry_run=dry_run)

    async def _end_leases(self, tally: Tally, *, dry_run: bool) -> None:
        account = OwnAct(self._clock(), OPERATION)
        for stored in await self._registrations.lapsed(account.at - SILENT, MOST):
            tally.leases_ended += 1
            if dry_run:
                continue
            one = stored.row
            await self._trail.record(
                account.event("agent.lapsed", agent_name=one.agent_name, registration_id=one.id)
            )
            try:
                await self._registrations.remove(one, stored.etag)
            except Changed:  # it renewed just now
                continue

    async def _remove_blocks(self, tally: Tally, *, dry_run: bool) -> None:
        account = OwnAct(self._clock(), OPERATION)
        rows = await self._revocations.page("revocation")
        over = [one for one in rows if one.row.until is not None and one.row.until <= account.at]
        for stored in over[:MOST]:
            tally.blocks_removed += 1
            if dry_run:
                continue
            await self._trail.record(
                account.event("revocation.expired", subject=stored.row.subject)
            )
            try:
                await self._revocations.remove(stored.row, stored.etag)
            except Changed:  # somebody lengthened it just now
                continue
