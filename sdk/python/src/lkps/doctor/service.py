"""LKPS itself: whether it answers, through which gateway, whether it is ready, and takes us."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp

from lkps.clocks import clock_error
from lkps.doctor.asking import SECONDS, Heard, ask
from lkps.doctor.findings import Finding, failed, not_checked, ok
from lkps.doctor.patient import Patient

_PLATFORM_TEAM = "Ask the platform team"
_NO_ANSWER = "LKPS does not answer"
_MEND = {
    "keys": "Entra ID's keys (LKPS_AUTHORITY, LKPS_TENANT_ID)",
    "livekit": "LiveKit (LKPS_LIVEKIT_API_URL and its key)",
    "tables": "Table Storage and the right of LKPS's identity to it",
}


async def gateway(patient: Patient) -> AsyncIterator[Finding]:
    if not patient.is_reachable:
        yield not_checked("gateway", "LKPS cannot be reached")
        return
    try:
        heard = await ask(patient, "GET", "health", "live", anonymously=True)
    except (aiohttp.ClientError, TimeoutError) as error:
        yield failed(
            "gateway",
            f"no answer: {type(error).__name__}, {SECONDS:.0f} s at most",
            f"{_PLATFORM_TEAM}: the gateway takes connections and does not answer",
        )
        return
    patient.date = heard.date
    patient.answers = heard.status == 200 and heard.body.get("status") == "live"
    yield ok("gateway", f"LKPS answers at {patient.url}") if patient.answers else _foreign(heard)


async def clock(patient: Patient) -> AsyncIterator[Finding]:
    if not patient.date:
        yield not_checked("clock", "nobody answered with the time")
        return
    wrong = clock_error(patient.date, datetime.now(UTC))
    if not wrong:
        yield ok("clock", "within a minute of the gateway's")
        return
    said, _, _ = wrong.partition(":")
    yield failed("clock", said, "Set it right: timedatectl set-ntp true, or as this system does it")


async def readiness(patient: Patient) -> AsyncIterator[Finding]:
    if not patient.answers:
        yield not_checked("readiness", _NO_ANSWER)
        return
    try:
        heard = await ask(patient, "GET", "health", "ready")
    except (aiohttp.ClientError, TimeoutError) as error:
        yield failed("readiness", f"no answer: {type(error).__name__}", _PLATFORM_TEAM)
        return
    if heard.body.get("status") == "ready":
        yield ok("readiness", "LKPS and all that it needs are ready")
    elif heard.body.get("status") == "not_ready":
        yield _not_ready(heard)
    else:
        yield _foreign(heard, "readiness")


async def whoami(patient: Patient) -> AsyncIterator[Finding]:
    if not (patient.answers and patient.token):
        why = "there is no access token" if patient.answers else _NO_ANSWER
        yield not_checked("accepted by LKPS", why)
        return
    try:
        heard = await ask(patient, "GET", "whoami")
    except (aiohttp.ClientError, TimeoutError) as error:
        yield failed("accepted by LKPS", f"no answer: {type(error).__name__}", _PLATFORM_TEAM)
        return
    if heard.status != 200 or "permissions" not in heard.body:
        yield _refused(heard)
        return
    patient.is_accepted = True
    patient.permissions = frozenset(map(str, heard.body["permissions"]))
    patient.livekit_url = str(heard.body.get("livekit_url", ""))
    kind = "user" if heard.body.get("kind") == "user" else "application"
    where = f"{heard.body.get('installation')} ({heard.body.get('environment')})"
    said = f"{kind} {heard.body.get('oid')} with {', '.join(sorted(patient.permissions))}"
    yield ok("accepted by LKPS", f"{said}, at {where}")


def _foreign(heard: Heard, step: str = "gateway") -> Finding:
    kind = f" ({heard.kind})" if heard.kind else ""
    return failed(
        step, f"{heard.status}, with another's page and not LKPS's{kind}", _instead(heard)
    )


def _instead(heard: Heard) -> str:
    if heard.status >= 500:
        return f"{_PLATFORM_TEAM}: the gateway does not get through to LKPS"
    if heard.status in {401, 403, 407}:
        return f"{_PLATFORM_TEAM}: the gateway wants a sign-in of its own before LKPS's API"
    if 300 <= heard.status < 400:
        return "Look at LKPS_URL: it is sent elsewhere, to a sign-in page mostly"
    return "Look at LKPS_URL: it needs the gateway's prefix, as in https://gateway.example/lkps"


def _not_ready(heard: Heard) -> Finding:
    states = heard.body.get("dependencies")
    if not isinstance(states, dict):
        return failed(
            "readiness",
            "LKPS is not ready; which dependency it is, it tells its administrators only",
            f"{_PLATFORM_TEAM}; as an administrator, lkps doctor says which",
        )
    down = {name: state for name, state in states.items() if state != "ready"}
    said = ", ".join(f"{name} ({state})" for name, state in down.items())
    mend = ", ".join(_MEND.get(name, name) for name in down)
    return failed("readiness", f"LKPS is not ready: {said}", f"Look at {mend}")


def _refused(heard: Heard) -> Finding:
    step = "accepted by LKPS"
    if not heard.is_of_lkps:
        return _foreign(heard, step)
    said = f"{heard.what} ({heard.status} {heard.code}, request {heard.request_id})"
    if heard.status == 401:
        wrong = clock_error(heard.date, datetime.now(UTC))
        return failed(step, said, wrong.capitalize() if wrong else _COMPARE)
    if heard.code == "caller_blocked":
        return failed(step, said, "Ask an administrator of LKPS why: lkps blocks, lkps unblock")
    if heard.code == "permission_lacking":
        return failed(step, said, "See permissions above")
    return failed(step, said, _PLATFORM_TEAM)


_COMPARE = (
    "Compare with LKPS's own settings: AZURE_TENANT_ID with LKPS_TENANT_ID, and LKPS_API_CLIENT_ID;"
    " the steps audience, tenant and token version above say which"
)
