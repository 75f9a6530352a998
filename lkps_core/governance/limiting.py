"""The platform's limits, read and set by its admins."""

from dataclasses import asdict

from lkps_core.agents.managing import difference
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.changes import putting, recorded
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.model import PlatformLimits
from lkps_core.ports import Rows, Stored
from lkps_core.preconditions import Expected, etag_of
from lkps_core.reply import Reply
from lkps_core.wire.limits import LimitsAnswer, SetLimits


class Limiting:
    def __init__(self, evidences: Evidences, limits: Rows[PlatformLimits], trail: Trail) -> None:
        self._evidences = evidences
        self._limits = limits
        self._trail = trail

    async def show(self) -> Reply:
        """The limits that hold; those that nobody set are the defaults."""
        stored = await self.stored()
        return _reply(stored.row if stored else PlatformLimits())

    async def set(self, call: Call, request: SetLimits, expected: Expected) -> Reply:
        stored = await self.stored()
        expected.require(limits_etag(stored.row if stored else PlatformLimits()))
        limits = PlatformLimits(**request.model_dump())
        await self.put(call, stored, limits)
        return _reply(limits)

    async def stored(self) -> Stored[PlatformLimits] | None:
        return await self._limits.get("platform", "limits")

    async def put(
        self, call: Call, stored: Stored[PlatformLimits] | None, limits: PlatformLimits
    ) -> None:
        before, after = difference(
            asdict(stored.row if stored else PlatformLimits()), asdict(limits)
        )
        if not after:
            return
        event = call.event("limits.changed", before=before, after=after)
        await recorded(self._trail, event, putting(self._limits, stored, limits))
        self._evidences.know_limits(limits)


def limits_etag(limits: PlatformLimits) -> str:
    return etag_of(asdict(limits))


def _reply(limits: PlatformLimits) -> Reply:
    return Reply(LimitsAnswer(**asdict(limits)), limits_etag(limits))
