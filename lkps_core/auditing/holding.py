"""Legal holds placed, listed and lifted."""

from lkps_core.audit.stream import Trail
from lkps_core.auditing.holds import MOST, Hold
from lkps_core.call import Call
from lkps_core.changes import putting, recorded, removing
from lkps_core.errors import HoldNotFound, TooManyHolds
from lkps_core.ports import Rows
from lkps_core.reply import PageOf, Reply
from lkps_core.wire.audit import HoldAnswer, HoldList, LiftHold, PlaceHold
from lkps_core.wire.principals import PrincipalAnswer


class Holding:
    def __init__(self, holds: Rows[Hold], trail: Trail) -> None:
        self._holds = holds
        self._trail = trail

    async def place(self, call: Call, request: PlaceHold) -> Reply:
        """One hold for each subject: placed again, it has the new reason."""
        stored = await self._holds.get("hold", request.subject)
        if stored is None and len(await self._holds.page("hold", most=MOST)) == MOST:
            raise TooManyHolds(f"There can be {MOST} at the same time.")
        hold = Hold(request.subject, request.reason, call.caller.id, call.at)
        event = call.event(
            "hold.placed",
            subject=hold.subject,
            comment=hold.reason,
            before={"reason": stored.row.reason} if stored else None,
        )
        await recorded(self._trail, event, putting(self._holds, stored, hold))
        return Reply(_answer(hold), is_new=stored is None)

    async def listed(self, page: PageOf) -> HoldList:
        found = await self._holds.page("hold", after=page.after, most=page.most + 1)
        shown = [stored.row for stored in found[: page.most]]
        return HoldList(
            holds=[_answer(hold) for hold in shown],
            next=shown[-1].subject if len(found) > len(shown) else None,
        )

    async def lift(self, call: Call, hold_id: str, request: LiftHold) -> None:
        stored = await self._holds.get("hold", hold_id)
        if stored is None:
            raise HoldNotFound(reason="unknown")
        event = call.event(
            "hold.lifted",
            subject=stored.row.subject,
            comment=request.reason,
            before={"reason": stored.row.reason},
        )
        await recorded(self._trail, event, removing(self._holds, stored))


def _answer(hold: Hold) -> HoldAnswer:
    by = hold.placed_by
    return HoldAnswer(
        id=hold.subject,
        subject=hold.subject,
        reason=hold.reason,
        placed_by=PrincipalAnswer(tid=by.tid, oid=by.oid),
        placed_at=hold.placed_at,
    )
