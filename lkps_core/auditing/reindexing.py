"""The index of some days derived anew, because an admin asks for it."""

from datetime import date, timedelta

from lkps_core.audit.stream import Trail
from lkps_core.auditing.indexing import Indexing
from lkps_core.call import Call
from lkps_core.errors import BodyInvalid
from lkps_core.wire.audit import Reindex, Reindexed

_MOST_DAYS = 366


class Reindexing:
    def __init__(self, indexing: Indexing, trail: Trail) -> None:
        self._indexing = indexing
        self._trail = trail

    async def reindex(self, call: Call, request: Reindex) -> Reindexed:
        first, last = date.fromisoformat(request.from_day), date.fromisoformat(request.to)
        many = (last - first).days + 1
        if not 1 <= many <= _MOST_DAYS:
            raise BodyInvalid(
                [{"pointer": "/to", "code": "period", "detail": f"1 to {_MOST_DAYS} days"}]
            )
        period = {"from": request.from_day, "to": request.to}
        event = call.event("audit.reindexed", comment=request.reason, after=period)
        await self._trail.record(event)
        days = [str(first + timedelta(days=after)) for after in range(many)]
        return Reindexed(streams=await self._indexing.reindex(days))
