"""Agents as their owners and admins see and change them: list, show, assign, change."""

from collections.abc import Iterable
from dataclasses import replace

from lkps_core.agents.directory import Directory
from lkps_core.agents.managing import (
    agent_etag,
    answer,
    difference,
    managed_agent,
    manages,
    principal_ids,
    settings_of,
    summary,
    visible_agent,
)
from lkps_core.agents.model import AccessMode, Agent
from lkps_core.agents.names import is_agent_name
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.changes import putting, recorded
from lkps_core.errors import (
    BodyInvalid,
    LastOwner,
    PermissionLacking,
    WouldLockYouOut,
)
from lkps_core.identity.permissions import ADMINISTER
from lkps_core.identity.principal import PrincipalId
from lkps_core.policy.evidence import Evidences
from lkps_core.ports import Rows, Stored
from lkps_core.preconditions import Expected
from lkps_core.reply import PageOf, Reply
from lkps_core.wire.agents import AgentList, AssignAgent, ChangeAgent

_FOR_ADMINS = frozenset(("runners", "beat_id"))
_AT_ONCE = 500


class Assigning:
    def __init__(
        self,
        new_mode: AccessMode,
        directory: Directory,
        evidences: Evidences,
        agents: Rows[Agent],
        trail: Trail,
    ) -> None:
        self._new_mode = new_mode
        self._directory = directory
        self._evidences = evidences
        self._agents = agents
        self._trail = trail

    async def listed(self, call: Call, page: PageOf) -> Reply:
        """Those that the caller manages, by name; to whoever manages none, none."""
        found: list[Agent] = []
        after, more = page.after, True
        while more and len(found) <= page.most:
            rows = await self._agents.page("agents", after=after, most=_AT_ONCE)
            found += [stored.row for stored in rows if manages(call, stored.row)]
            more = len(rows) == _AT_ONCE
            after = rows[-1].row.name if rows else after
        shown = found[: page.most]
        blocks = await self._evidences.blocks()
        return Reply(
            AgentList(
                agents=[summary(agent, blocks, call.at) for agent in shown],
                next=shown[-1].name if len(found) > len(shown) else None,
            )
        )

    async def show(self, call: Call, name: str) -> Reply:
        """The agent and its live instances; AgentNotFound for whoever does not manage it."""
        stored = await visible_agent(self._directory, call, name)
        return await self._reply(call, stored.row)

    async def assign(
        self, call: Call, name: str, request: AssignAgent, expected: Expected
    ) -> Reply:
        """Give the name to these runners and owners, whoever had it. Admins only."""
        if not is_agent_name(name):
            raise BodyInvalid([_name_error()])
        stored = await self._directory.agent_now(name)
        expected.require(agent_etag(stored.row) if stored else None)
        before = stored.row if stored else self._new(call, name)
        after = replace(
            before,
            runners=principal_ids(call, "runners", request.runners),
            owners=principal_ids(call, "owners", request.owners),
            beat_id=request.beat_id,
            contact=request.contact,
            access_mode=request.access_mode or before.access_mode,
        )
        _keep_an_owner(before, after)
        return await self._written(call, stored, after)

    async def change(
        self, call: Call, name: str, request: ChangeAgent, expected: Expected
    ) -> Reply:
        """Change the members that the request names; owners and admins."""
        stored = await managed_agent(self._directory, call, name)
        expected.require(agent_etag(stored.row))
        changes = request.changes()
        for member in ("runners", "owners"):
            if member in changes:
                changes[member] = principal_ids(call, member, changes[member])
        _refuse_what_is_for_admins(call, changes.keys())
        after = replace(stored.row, **changes)
        _keep_an_owner(stored.row, after)
        _refuse_lock_out(call, stored.row, after, leaving=request.leaving)
        return await self._written(call, stored, after)

    async def put(self, call: Call, stored: Stored[Agent] | None, agent: Agent) -> None:
        """The trail first: a change without its row is worse than a row without its change."""
        before, after = difference(settings_of(stored.row) if stored else {}, settings_of(agent))
        if stored is not None and not before and not after:
            return
        event = call.event(
            "agent.changed" if stored else "agent.assigned",
            agent_name=agent.name,
            beat_id=agent.beat_id,
            before=before or None,
            after=after or None,
        )
        await recorded(self._trail, event, putting(self._agents, stored, agent))
        self._directory.forget_agent(agent.name)

    async def _written(self, call: Call, stored: Stored[Agent] | None, agent: Agent) -> Reply:
        await self.put(call, stored, agent)
        return await self._reply(call, agent, is_new=stored is None)

    def _new(self, call: Call, name: str) -> Agent:
        nobody: frozenset[PrincipalId] = frozenset()
        return Agent(name, nobody, nobody, call.at, access_mode=self._new_mode)

    async def _reply(self, call: Call, agent: Agent, *, is_new: bool = False) -> Reply:
        online = await self._directory.online(agent.name, call.at)
        blocks = await self._evidences.blocks()
        return Reply(answer(agent, blocks, call.at, online), agent_etag(agent), is_new)


def _refuse_what_is_for_admins(call: Call, members: Iterable[str]) -> None:
    if not call.caller.may(ADMINISTER) and not _FOR_ADMINS.isdisjoint(members):
        raise PermissionLacking(" ".join(ADMINISTER), reason="change_for_admins")


def _keep_an_owner(before: Agent, after: Agent) -> None:
    if before.owners and not after.owners:
        raise LastOwner


def _refuse_lock_out(call: Call, before: Agent, after: Agent, *, leaving: bool) -> None:
    """Nobody takes themselves out of the owners without saying so; admins stay in control."""
    own = call.caller.id
    if call.caller.may(ADMINISTER):
        return
    if own in before.owners and own not in after.owners and not leaving:
        raise WouldLockYouOut


def _name_error() -> dict[str, str]:
    return {
        "pointer": "",
        "code": "agent_name",
        "detail": "the name must be a-z, 0-9 and single inner hyphens, at most 63",
    }
