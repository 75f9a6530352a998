"""Who manages an agent, and what of it they see: its owners and the admins, nobody else."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent, Registration
from lkps_core.agents.names import is_agent_name
from lkps_core.call import Call
from lkps_core.errors import AgentNotFound, BodyInvalid, RunnerMayNotManage
from lkps_core.identity.permissions import ADMINISTER, MANAGE_AGENTS
from lkps_core.identity.principal import Principal, PrincipalId
from lkps_core.policy.model import Blocks, agent_subject
from lkps_core.ports import Stored
from lkps_core.preconditions import etag_of
from lkps_core.wire.agents import AgentAnswer, AgentSummary, Instance
from lkps_core.wire.principals import PrincipalAnswer, PrincipalBody


def owns(caller: Principal, agent: Agent | None) -> bool:
    return caller.may(MANAGE_AGENTS) and agent is not None and caller.id in agent.owners


def manages(call: Call, agent: Agent | None) -> bool:
    return call.caller.may(ADMINISTER) or owns(call.caller, agent)


async def possibly_owned(directory: Directory, call: Call, name: str) -> Agent | None:
    """The agent, for whoever it could matter to that it owns it: always read, or never."""
    if not call.caller.may(MANAGE_AGENTS):
        return None
    stored = await directory.agent_now(name)
    return stored.row if stored else None


async def visible_agent(directory: Directory, call: Call, name: str) -> Stored[Agent]:
    """The agent as it stands in the table, for whoever manages it; AgentNotFound for others.

    It is always read, never remembered: how long the refusal takes does not tell whether there is
    one, and the ETag is that of now, on whichever instance.
    """
    stored = await directory.agent_now(name) if is_agent_name(name) else None
    if stored is None or not manages(call, stored.row):
        raise AgentNotFound(reason="not_manager" if stored else "unknown")
    return stored


async def managed_agent(directory: Directory, call: Call, name: str) -> Stored[Agent]:
    """As `visible_agent`, for whoever may change it.

    Raises RunnerMayNotManage for an application that is an owner and a runner at once: what runs an
    agent must not change who may call it.
    """
    stored = await visible_agent(directory, call, name)
    caller = call.caller
    if caller.kind == "app" and caller.id in stored.row.runners and not caller.may(ADMINISTER):
        raise RunnerMayNotManage
    return stored


def settings_of(agent: Agent) -> dict[str, Any]:
    """What people decide about an agent, as the trail and its ETag have it."""
    return {
        "runners": texts(agent.runners),
        "owners": texts(agent.owners),
        "beat_id": agent.beat_id,
        "contact": agent.contact,
        "access_mode": agent.access_mode,
        "report_only": agent.report_only,
        "max_sessions": agent.max_sessions,
        "max_session_seconds": agent.max_session_seconds,
    }


def agent_etag(agent: Agent) -> str:
    routing = {"version": agent.routing_version, "previous": agent.previous_routing_version}
    return etag_of({**settings_of(agent), "routing": routing, "created_at": agent.created_at})


def difference(
    before: dict[str, Any], after: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members that differ, as they were and as they are."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


def texts(principals: Iterable[PrincipalId]) -> list[str]:
    return [f"{one.tid}:{one.oid}" for one in sorted(principals)]


def principal_ids(call: Call, member: str, bodies: list[PrincipalBody]) -> frozenset[PrincipalId]:
    """Raise BodyInvalid for principals of another tenant."""
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


def summary(agent: Agent, blocks: Blocks, now: datetime) -> AgentSummary:
    return AgentSummary(**_members(agent, blocks, now))


def answer(
    agent: Agent, blocks: Blocks, now: datetime, online: Iterable[Registration]
) -> AgentAnswer:
    return AgentAnswer(
        **_members(agent, blocks, now),
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


def _members(agent: Agent, blocks: Blocks, now: datetime) -> dict[str, Any]:
    return {
        "name": agent.name,
        "runners": [PrincipalAnswer(tid=one.tid, oid=one.oid) for one in sorted(agent.runners)],
        "owners": [PrincipalAnswer(tid=one.tid, oid=one.oid) for one in sorted(agent.owners)],
        "beat_id": agent.beat_id,
        "contact": agent.contact,
        "access_mode": agent.access_mode,
        "report_only": agent.report_only,
        "max_sessions": agent.max_sessions,
        "max_session_seconds": agent.max_session_seconds,
        "blocked": blocks.blocks(agent_subject(agent.name), now),
        "routing_version": agent.routing_version,
        "created_at": agent.created_at,
    }
