"""Whose an agent name is: admins assign it, owners and admins read it."""

from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent, Registration
from lkps_core.agents.names import is_agent_name
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import AgentNotFound, BodyInvalid, EditedMeanwhile
from lkps_core.identity.permissions import ADMINISTER, MANAGE_AGENTS
from lkps_core.identity.principal import PrincipalId
from lkps_core.ports import AlreadyThere, Changed, Rows, Stored
from lkps_core.wire.agents import (
    AgentAnswer,
    AssignAgent,
    Instance,
    PrincipalAnswer,
    PrincipalBody,
)


class Assigning:
    def __init__(self, directory: Directory, agents: Rows[Agent], trail: Trail) -> None:
        self._directory = directory
        self._agents = agents
        self._trail = trail

    async def show(self, call: Call, name: str) -> AgentAnswer:
        """The agent and its live instances; AgentNotFound for whoever does not manage it."""
        agent = await self._directory.agent(name) if is_agent_name(name) else None
        if agent is None or not _manages(call, agent):
            raise AgentNotFound(reason="not_manager" if agent else "unknown")
        return _answer(agent, await self._directory.online(name, call.at))

    async def assign(self, call: Call, name: str, request: AssignAgent) -> AgentAnswer:
        """Give the name to these runners and owners, whoever had it. Admins only."""
        if not is_agent_name(name):
            raise BodyInvalid([_name_error()])
        stored = await self._directory.agent_now(name)
        agent = Agent(
            name=name,
            runners=_ids(call, "runners", request.runners),
            owners=_ids(call, "owners", request.owners),
            beat_id=request.beat_id,
            created_at=stored.row.created_at if stored else call.at,
            routing_version=stored.row.routing_version if stored else 1,
        )
        await self._record(call, agent)  # first: a change without its row is worse than the reverse
        await self._write(agent, stored)
        self._directory.forget_agent(name)
        return _answer(agent, await self._directory.online(name, call.at))

    async def _record(self, call: Call, agent: Agent) -> None:
        await self._trail.record(
            call.event(
                "agent.assigned",
                agent_name=agent.name,
                beat_id=agent.beat_id,
                runners=_texts(agent.runners),
                owners=_texts(agent.owners),
                rule="admin",
            )
        )

    async def _write(self, agent: Agent, stored: Stored[Agent] | None) -> None:
        try:
            if stored is None:
                await self._agents.add(agent)
            else:
                await self._agents.replace(agent, stored.etag)
        except (AlreadyThere, Changed) as error:
            raise EditedMeanwhile from error


def _manages(call: Call, agent: Agent) -> bool:
    caller = call.caller
    return caller.may(ADMINISTER) or (caller.may(MANAGE_AGENTS) and caller.id in agent.owners)


def _ids(call: Call, member: str, bodies: list[PrincipalBody]) -> frozenset[PrincipalId]:
    foreign = [place for place, body in enumerate(bodies) if body.tid != call.caller.tid]
    if foreign:
        raise BodyInvalid(
            [
                {
                    "pointer": f"/{member}/{place}/tid",
                    "code": "tenant_foreign",
                    "detail": "must be the tenant that LKPS serves",
                }
                for place in foreign
            ]
        )
    return frozenset(PrincipalId(body.tid, body.oid) for body in bodies)


def _name_error() -> dict[str, str]:
    return {
        "pointer": "",
        "code": "agent_name",
        "detail": "the name must be a-z, 0-9 and single inner hyphens, at most 63",
    }


def _texts(principals: frozenset[PrincipalId]) -> tuple[str, ...]:
    return tuple(f"{one.tid}:{one.oid}" for one in sorted(principals))


def _answer(agent: Agent, online: list[Registration]) -> AgentAnswer:
    return AgentAnswer(
        name=agent.name,
        runners=[PrincipalAnswer(tid=one.tid, oid=one.oid) for one in sorted(agent.runners)],
        owners=[PrincipalAnswer(tid=one.tid, oid=one.oid) for one in sorted(agent.owners)],
        beat_id=agent.beat_id,
        access_mode="open",
        routing_version=agent.routing_version,
        created_at=agent.created_at,
        instances=[
            Instance(
                registration_id=one.id,
                version=one.version,
                instance=one.instance,
                labels=one.labels,
                registered_at=one.registered_at,
                lease_until=one.lease_until,
                routing_version=one.routing_version,
            )
            for one in online
        ],
    )
