"""The plan: which steps a policy file takes from what is live, and what its author may not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lkps_core.agents.managing import manages
from lkps_core.agents.model import AccessMode, Agent
from lkps_core.call import Call
from lkps_core.errors import BodyInvalid
from lkps_core.governance.granting import MOST_OF_A_CLIENT
from lkps_core.governance.grants import id_of_terms, new_grant
from lkps_core.governance.linting import Intended
from lkps_core.governance.live_policy import LiveAgent, LivePolicy
from lkps_core.governance.steps import AgentPlan, AgentStep, GrantStep, Plan, limits_change
from lkps_core.identity.permissions import ADMINISTER
from lkps_core.identity.principal import PrincipalId
from lkps_core.policy.model import Grant, PlatformLimits
from lkps_core.ports import Stored
from lkps_core.wire.policy import AgentPolicy, PolicyDocument

_CLEARABLE = ("beat_id", "contact", "max_sessions", "max_session_seconds")
_FOR_ADMINS = ("runners", "beat_id")


def may_plan(call: Call, agent: Stored[Agent] | None) -> bool:
    """Owners their own agents, admins any name, one that is not there too."""
    return call.caller.may(ADMINISTER) if agent is None else manages(call, agent.row)


def plan(call: Call, document: PolicyDocument, live: LivePolicy, new_mode: AccessMode) -> Plan:
    """Raise BodyInvalid with everything that the caller may not do, or cannot be done."""
    errors: list[dict[str, str]] = []
    limits = _wanted_limits(document, live)
    if limits is not None and not call.caller.may(ADMINISTER) and limits_change(live, limits):
        errors.append(_error("/limits", "for_admins", "only admins change the limits"))
    agents: list[AgentPlan] = []
    for name, wanted in document.agents.items():
        pointer, there = f"/agents/{name}", live.agents[name]
        if not may_plan(call, there.agent):
            errors.append(_error(pointer, "agent_not_found", "no such agent among your own"))
            continue
        planned = _agent_plan(call, name, wanted, there, new_mode)
        errors += _refused(call, planned, wanted, pointer)
        agents.append(planned)
    if errors:
        raise BodyInvalid(errors[:20])
    return Plan(limits, agents)


def _wanted_limits(document: PolicyDocument, live: LivePolicy) -> PlatformLimits | None:
    wanted = document.limits
    if wanted is None:
        return None
    now = live.limits.row if live.limits else PlatformLimits()
    return replace(now, **{name: getattr(wanted, name) for name in wanted.model_fields_set})


def _agent_plan(
    call: Call, name: str, wanted: AgentPolicy, live: LiveAgent, new_mode: AccessMode
) -> AgentPlan:
    nobody: frozenset[PrincipalId] = frozenset()
    before = (
        live.agent.row if live.agent else Agent(name, nobody, nobody, call.at, access_mode=new_mode)
    )
    after = replace(before, **_wanted_members(call, wanted))
    coming, going = _grant_steps(call, name, wanted, live)
    there = [one.row for one in live.grants]
    grants = there if wanted.grants is None else [step.after for step in coming]
    places = {
        id_of_terms(call.caller.tid, terms): place
        for place, terms in enumerate(wanted.grants or ())
    }
    return AgentPlan(
        AgentStep(live.agent, after),
        coming,
        going,
        Intended(after, grants, live.agent is None, places),
    )


def _wanted_members(call: Call, wanted: AgentPolicy) -> dict[str, Any]:
    members: dict[str, Any] = {
        name: getattr(wanted, name) for name in _CLEARABLE if name in wanted.model_fields_set
    }
    for name in ("access_mode", "report_only"):
        if getattr(wanted, name) is not None:
            members[name] = getattr(wanted, name)
    for name in ("runners", "owners"):
        oids = getattr(wanted, name)
        if oids is not None:
            members[name] = frozenset(PrincipalId(call.caller.tid, oid) for oid in oids)
    return members


def _grant_steps(
    call: Call, name: str, wanted: AgentPolicy, live: LiveAgent
) -> tuple[list[GrantStep], list[Stored[Grant]]]:
    if wanted.grants is None:
        return [], []
    there = {one.row.id: one for one in live.grants}
    coming: list[GrantStep] = []
    for terms in wanted.grants:
        grant = new_grant(call, name, terms)
        stored = there.get(grant.id)
        if stored is not None:  # whoever granted it first is still the one who did
            grant = replace(
                grant, granted_by=stored.row.granted_by, granted_at=stored.row.granted_at
            )
        coming.append(GrantStep(stored, grant))
    kept = {step.after.id for step in coming}
    return coming, [one for key, one in there.items() if key not in kept]


def _refused(
    call: Call, planned: AgentPlan, wanted: AgentPolicy, pointer: str
) -> Iterator[dict[str, str]]:
    stored, after = planned.agent.before, planned.agent.after
    before = stored.row if stored else None
    if before is not None and before.owners and not after.owners:
        yield _error(f"{pointer}/owners", "last_owner", "an agent keeps at least one owner")
    if before is not None and not call.caller.may(ADMINISTER):
        yield from _refused_to_owners(call, before, after, pointer)
    ids = Counter(step.after.id for step in planned.coming)
    for terms in wanted.grants or ():
        if ids[id_of_terms(call.caller.tid, terms)] > 1:
            place = planned.intended.places[id_of_terms(call.caller.tid, terms)]
            detail = "another grant here is for the same application and the same callers"
            yield _error(f"{pointer}/grants/{place}", "grant_repeated", detail)
            break
    clients = Counter(terms.client_app_id for terms in wanted.grants or ())
    if clients and max(clients.values()) > MOST_OF_A_CLIENT:
        detail = f"a client application has at most {MOST_OF_A_CLIENT} grants on one agent"
        yield _error(f"{pointer}/grants", "too_many_grants", detail)


def _refused_to_owners(
    call: Call, before: Agent, after: Agent, pointer: str
) -> Iterator[dict[str, str]]:
    for name in _FOR_ADMINS:
        if getattr(before, name) != getattr(after, name):
            yield _error(f"{pointer}/{name}", "for_admins", "only admins change this")
    if call.caller.id not in after.owners:
        detail = "that would take you out of the owners: say so in a change of the agent itself"
        yield _error(f"{pointer}/owners", "would_lock_you_out", detail)
    if call.caller.kind == "app" and call.caller.id in before.runners:
        detail = "an agent's own runner may not manage it"
        yield _error(pointer, "runner_may_not_manage", detail)


def _error(pointer: str, code: str, detail: str) -> dict[str, str]:
    return {"pointer": pointer, "code": code, "detail": detail}
