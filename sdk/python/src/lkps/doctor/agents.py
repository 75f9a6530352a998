"""The agent: whether it is online, and whether whoever calls has a grant for it."""

from collections.abc import AsyncIterator, Callable

import aiohttp

from lkps.doctor.asking import Heard, ask
from lkps.doctor.findings import Finding, failed, not_checked, ok
from lkps.doctor.patient import Patient
from lkps.doctor.tokens import ADMINISTERS, STARTS

_MANAGES = ("LKPS.Manage", "Agent.Manage", *ADMINISTERS)
_ONLINE, _GRANT = "agent online", "grant"
_NO_NAME = "no agent was named: --agent NAME"
_WHO = {
    "you": "you",
    "agent_owner": "an owner of the agent",
    "platform_admin": "an administrator of LKPS",
    "entra_admin": "an administrator of Entra ID",
}


async def online(patient: Patient) -> AsyncIterator[Finding]:
    if why := _why_not(patient):
        yield not_checked(_ONLINE, why)
    elif not patient.may(*_MANAGES):
        yield not_checked(_ONLINE, "only its owners and administrators see that; --call tells, too")
    else:
        yield await _asked(patient, _ONLINE, _of_agent, "GET", "agents", patient.agent)


async def grant(patient: Patient) -> AsyncIterator[Finding]:
    if why := _why_not(patient):
        yield not_checked(_GRANT, why)
    elif not patient.may(*STARTS):
        yield not_checked(
            _GRANT,
            f"this caller starts no sessions; of another: lkps check {patient.agent} --client ID",
        )
    else:
        body = {"agent_name": patient.agent}
        yield await _asked(patient, _GRANT, _of_check, "POST", "authorization", "check", body=body)


async def _asked(
    patient: Patient,
    step: str,
    read: Callable[[Patient, Heard], Finding],
    method: str,
    *path: str,
    body: object = None,
) -> Finding:
    try:
        heard = await ask(patient, method, *path, body=body)
    except (aiohttp.ClientError, TimeoutError) as error:
        return failed(step, f"no answer: {type(error).__name__}", "Try again")
    return read(patient, heard)


def _of_agent(patient: Patient, heard: Heard) -> Finding:
    name = patient.agent
    if heard.status == 404 and not patient.may(*ADMINISTERS):
        return not_checked(_ONLINE, f"there is no agent {name}, or it is not yours")
    if heard.status == 404:
        return failed(_ONLINE, f"there is no agent {name}", "Look at its name: lkps agents list")
    if heard.status != 200:
        return _strange(_ONLINE, heard)
    instances = heard.body.get("instances") or []
    if heard.body.get("blocked"):
        fix = f"Ask an administrator of LKPS: lkps unblock agent:{name}"
        return failed(_ONLINE, f"{name} is blocked", fix)
    if not instances:
        return failed(
            _ONLINE,
            f"no instance of {name} is registered",
            'Start it: python agent.py start; once its log says "registered worker", it is online',
        )
    return ok(_ONLINE, f"{len(instances)} instance{'s' * (len(instances) != 1)} of {name}")


def _of_check(patient: Patient, heard: Heard) -> Finding:
    if heard.status != 200 or "allowed" not in heard.body:
        return _strange(_GRANT, heard)
    if heard.body["allowed"]:
        return ok(_GRANT, f"{patient.agent} may be called, by the rule {heard.body.get('rule')}")
    reasons = heard.body.get("reasons") or [{}]
    reason = reasons[-1]
    said = f"{patient.agent} may not be called: {reason.get('detail') or heard.body.get('rule')}"
    who = _WHO.get(str(reason.get("who")), "an owner of the agent")
    return failed(_GRANT, said, f"{reason.get('change') or 'It has to be granted.'} By: {who}")


def _strange(step: str, heard: Heard) -> Finding:
    said = f"{heard.what} ({heard.status} {heard.code}, request {heard.request_id})"
    return failed(step, said, "Show this to the platform team")


def _why_not(patient: Patient) -> str:
    if not patient.agent:
        return _NO_NAME
    return "" if patient.is_accepted else "LKPS did not accept the caller"
