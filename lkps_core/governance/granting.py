"""Granting: which client applications may call an agent, given and taken by its owners."""

import re
from dataclasses import replace

from lkps_core.agents.directory import Directory
from lkps_core.agents.managing import difference, managed_agent
from lkps_core.audit.event import Action, Event
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.changes import putting, recorded, removing
from lkps_core.errors import GrantExists, GrantNotFound, TooManyGrants
from lkps_core.governance.grants import grant_answer, grant_etag, new_grant, terms_of
from lkps_core.policy.evidence import Evidences, grants_of
from lkps_core.policy.model import Grant
from lkps_core.ports import Rows, Stored
from lkps_core.preconditions import Expected
from lkps_core.reply import PageOf, Reply
from lkps_core.wire.grants import ChangeGrant, CreateGrant, GrantList

MOST_OF_A_CLIENT = 500
"""Grants of one client application on one agent: each of its starts looks at all of them."""

_GRANT_ID = re.compile(r"[0-9a-f-]{36}:[0-9a-f-]{36}:[0-9a-f]{26}")


class Granting:
    def __init__(
        self, directory: Directory, evidences: Evidences, grants: Rows[Grant], trail: Trail
    ) -> None:
        self._directory = directory
        self._evidences = evidences
        self._grants = grants
        self._trail = trail

    async def listed(self, call: Call, agent_name: str, page: PageOf) -> Reply:
        """The agent's grants by id: those of one client application stand together."""
        await managed_agent(self._directory, call, agent_name)
        rows = await self._grants.page(agent_name, after=page.after, most=page.most + 1)
        shown = [stored.row for stored in rows[: page.most]]
        return Reply(
            GrantList(
                grants=[grant_answer(grant, call.at) for grant in shown],
                next=shown[-1].id if len(rows) > len(shown) else None,
            )
        )

    async def show(self, call: Call, agent_name: str, grant_id: str) -> Reply:
        stored = await self._stored(call, agent_name, grant_id)
        return Reply(grant_answer(stored.row, call.at), grant_etag(stored.row))

    async def create(self, call: Call, agent_name: str, terms: CreateGrant) -> Reply:
        """Grant; the very same again is a success, another for the same callers GrantExists."""
        await managed_agent(self._directory, call, agent_name)
        grant = new_grant(call, agent_name, terms)
        there = await grants_of(self._grants, agent_name, grant.tid, grant.client_app_id)
        same = next((one for one in there if one.id == grant.id), None)
        if same is not None:
            return self._again(call, grant, same)
        if len(there) >= MOST_OF_A_CLIENT:
            raise TooManyGrants(f"An application has at most {MOST_OF_A_CLIENT} on one agent.")
        await self.put(call, None, grant)
        return Reply(grant_answer(grant, call.at), grant_etag(grant), is_new=True)

    async def change(
        self, call: Call, agent_name: str, grant_id: str, request: ChangeGrant, expected: Expected
    ) -> Reply:
        stored = await self._stored(call, agent_name, grant_id)
        expected.require(grant_etag(stored.row))
        grant = replace(stored.row, **request.changes())
        await self.put(call, stored, grant)
        return Reply(grant_answer(grant, call.at), grant_etag(grant))

    async def remove(self, call: Call, agent_name: str, grant_id: str, expected: Expected) -> None:
        """Sessions that are open stay; new ones are refused within 5 s."""
        stored = await self._stored(call, agent_name, grant_id)
        expected.check(grant_etag(stored.row))
        await self.take(call, stored)

    async def put(self, call: Call, stored: Stored[Grant] | None, grant: Grant) -> None:
        """Record and write; a change that changes nothing is none."""
        before, after = difference(terms_of(stored.row) if stored else {}, terms_of(grant))
        if not before and not after:
            return
        action: Action = "grant.changed" if stored else "grant.created"
        event = _event(call, action, grant, before, after)
        await recorded(self._trail, event, putting(self._grants, stored, grant))
        self._evidences.forget_grants(grant)

    async def take(self, call: Call, stored: Stored[Grant]) -> None:
        event = _event(call, "grant.removed", stored.row, terms_of(stored.row), {})
        await recorded(self._trail, event, removing(self._grants, stored))
        self._evidences.forget_grants(stored.row)

    def _again(self, call: Call, grant: Grant, same: Grant) -> Reply:
        if terms_of(same) != terms_of(grant):
            raise GrantExists(grant.id)
        return Reply(grant_answer(same, call.at), grant_etag(same))

    async def _stored(self, call: Call, agent_name: str, grant_id: str) -> Stored[Grant]:
        await managed_agent(self._directory, call, agent_name)
        if not _GRANT_ID.fullmatch(grant_id):
            raise GrantNotFound(reason="not_an_id")
        stored = await self._grants.get(agent_name, grant_id)
        if stored is None:
            raise GrantNotFound(reason="unknown")
        return stored


def _event(
    call: Call,
    action: Action,
    grant: Grant,
    before: dict[str, object],
    after: dict[str, object],
) -> Event:
    return call.event(
        action,
        agent_name=grant.agent_name,
        grant_id=grant.id,
        before=before or None,
        after=after or None,
    )
