"""The kill switch: block an agent, an application, a user or a session; list and lift blocks.

A block is a row that every decision reads, at most 5 s old.
"""

import re

from lkps_core.agents.registrations import Registrations
from lkps_core.audit.event import Action, Event
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.changes import putting, recorded, removing
from lkps_core.errors import (
    QueryInvalid,
    RevocationNotFound,
    StorageUnavailable,
)
from lkps_core.governance.beyond_reach import beyond_reach
from lkps_core.governance.clearing import Clearing
from lkps_core.governance.revocations import (
    agent_named_in,
    lengthened,
    members_of,
    new_revocation,
    revocation_answer,
    terms_of_revocation,
)
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.model import (
    Revocation,
)
from lkps_core.ports import Rows, Stored
from lkps_core.reply import PageOf, Reply
from lkps_core.wire.revocations import RevocationList, Revoke, Revoked

_SUBJECT = re.compile(r"(?:agent|application|user|session):[0-9a-z:-]{1,200}")


class Revoking:
    def __init__(
        self,
        evidences: Evidences,
        revocations: Rows[Revocation],
        registrations: Registrations,
        clearing: Clearing,
        trail: Trail,
        agent_token_seconds: int,
    ) -> None:
        self._evidences = evidences
        self._revocations = revocations
        self._registrations = registrations
        self._clearing = clearing
        self._trail = trail
        self._agent_token_seconds = agent_token_seconds

    async def revoke(self, call: Call, request: Revoke) -> Reply:
        """Block, and end what is live. Blocking what is blocked can only lengthen the block.

        A block whose insertion was not answered may stand: what is live is then looked for later.
        """
        wanted = new_revocation(call, request)
        stored = await self._revocations.get("revocation", wanted.subject)
        revocation = lengthened(wanted, stored.row) if stored else wanted
        action: Action = "revocation.changed" if stored else "revocation.created"
        event = _event(call, action, stored.row if stored else None, revocation)
        try:
            await recorded(self._trail, event, putting(self._revocations, stored, revocation))
        except StorageUnavailable:
            self._clearing.clear_later(call, revocation)
            raise
        finally:
            self._evidences.forget_blocks()
        cleared = await self._clearing.clear(call, revocation)
        reach = await beyond_reach(
            self._registrations, revocation, call.at, self._agent_token_seconds
        )
        answer = Revoked(
            **members_of(revocation),
            sessions_found=cleared.found,
            sessions_ended=cleared.ended,
            beyond_reach=reach,
        )
        return Reply(answer, is_new=stored is None)

    async def listed(self, call: Call, page: PageOf) -> Reply:
        """The blocks that hold now."""
        if page.after and not _SUBJECT.fullmatch(page.after):
            raise QueryInvalid("`after` is not one that a list named.")
        rows = await self._revocations.page("revocation", after=page.after, most=page.most + 1)
        shown = [stored.row for stored in rows[: page.most]]
        return Reply(
            RevocationList(
                revocations=[revocation_answer(one) for one in shown if one.holds(call.at)],
                next=shown[-1].subject if len(rows) > len(shown) else None,
            )
        )

    async def show(self, revocation_id: str) -> Reply:
        return Reply(revocation_answer((await self._stored(revocation_id)).row))

    async def lift(self, call: Call, revocation_id: str) -> None:
        stored = await self._stored(revocation_id)
        event = _event(call, "revocation.lifted", stored.row, None)
        await recorded(self._trail, event, removing(self._revocations, stored))
        self._evidences.forget_blocks()

    async def _stored(self, revocation_id: str) -> Stored[Revocation]:
        known = _SUBJECT.fullmatch(revocation_id)
        stored = await self._revocations.get("revocation", revocation_id) if known else None
        if stored is None:
            raise RevocationNotFound(reason="unknown")
        return stored


def _event(
    call: Call, action: Action, before: Revocation | None, after: Revocation | None
) -> Event:
    revocation = after or before
    assert revocation is not None  # noqa: S101  a block comes, changes or goes
    return call.event(
        action,
        agent_name=agent_named_in(revocation),
        subject=revocation.subject,
        comment=revocation.reason,
        before=terms_of_revocation(before) if before else None,
        after=terms_of_revocation(after) if after else None,
    )
