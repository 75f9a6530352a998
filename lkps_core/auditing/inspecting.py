"""Looking into the trail: ask, export, see checkpoints. That somebody did is recorded."""

from dataclasses import asdict, replace
from datetime import datetime

from lkps_core.agents.directory import Directory
from lkps_core.agents.managing import owns, possibly_owned
from lkps_core.audit.stream import Trail
from lkps_core.auditing.asking import Asking, Question
from lkps_core.auditing.exporting import Exporting
from lkps_core.auditing.ledger import Ledger
from lkps_core.call import Call
from lkps_core.errors import PermissionLacking
from lkps_core.identity.permissions import AUDIT
from lkps_core.policy.model import PlatformLimits
from lkps_core.policy.quotas import Quotas
from lkps_core.wire.audit import AuditPage, CheckpointAnswer, CheckpointList
from lkps_trail.checkpoint import instant

_UNTIL = "~"

_PACE = PlatformLimits(starts_per_minute_per_application=600, starts_per_minute_per_user=600)
"""Pages a minute of one caller, each of which is a row."""


class Inspecting:
    def __init__(
        self,
        quotas: Quotas,
        directory: Directory,
        asking: Asking,
        exporting: Exporting,
        ledger: Ledger,
        trail: Trail,
    ) -> None:
        self._quotas = quotas
        self._directory = directory
        self._asking = asking
        self._exporting = exporting
        self._ledger = ledger
        self._trail = trail

    async def ask(self, call: Call, question: Question, most: int, after: str) -> AuditPage:
        """Auditors see all, owners the rows of their agent, others their own.

        What comes after the first page was asked for is in none of its pages: each is a row itself.
        """
        self._quotas.admit(call.caller, _PACE)
        visible = await self._visible(call, question)
        key, _, until = after.partition(_UNTIL)
        end = datetime.fromisoformat(until) if until else min(question.until or call.at, call.at)
        page = await self._asking.ask(replace(visible, until=end), call.at, most, key)
        await self._trail.record(
            call.event(
                "audit.read",
                agent_name=question.agent_name,
                session_id=question.session_id,
                after={"question": _told(visible), "rows": len(page.rows)},
            )
        )
        return AuditPage(
            rows=page.rows,
            next=f"{page.next}{_UNTIL}{instant(end)}" if page.next else None,
            complete_until=instant(page.complete_until),
        )

    async def export(self, call: Call, since: datetime, until: datetime, after: str) -> list[str]:
        """The lines of one answer, for auditors."""
        self._quotas.admit(call.caller, _PACE)
        lines = await self._exporting.lines(since, until, call.at, after)
        period = {"from": instant(since), "to": instant(until), "after": after}
        await self._trail.record(
            call.event("audit.exported", after={"period": period, "lines": len(lines)})
        )
        return lines

    async def checkpoints(self, after: int | None, most: int) -> CheckpointList:
        """Those after this number; without one, the last."""
        last = await self._ledger.last_number()
        first = (last - 1 if after is None else after) + 1
        numbers = range(max(1, first), min(last, first + most - 1) + 1)
        found = [await self._ledger.get(number) for number in numbers]
        return CheckpointList(
            origin=self._ledger.origin,
            key=(await self._ledger.key()).text,
            last=last,
            checkpoints=[
                CheckpointAnswer(number=one.batch.number, note=one.batch.note) for one in found
            ],
        )

    async def _visible(self, call: Call, question: Question) -> Question:
        """The question, narrowed to what the caller may see."""
        caller = call.caller
        if caller.may(AUDIT):
            return question
        if question.agent_name is not None:
            agent = await possibly_owned(self._directory, call, question.agent_name)
            if owns(caller, agent):
                return question
        if question.user_oid not in (None, caller.oid):
            raise PermissionLacking(f"{AUDIT.role} {AUDIT.scope}")
        return replace(question, user_oid=caller.oid)


def _told(question: Question) -> dict[str, str]:
    return {
        name: instant(value) if isinstance(value, datetime) else value
        for name, value in asdict(question).items()
        if value is not None
    }
