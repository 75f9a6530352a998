"""The access token: whether Entra ID issues one, and whether its claims are what LKPS needs."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from lkps.credentials.roles import unverified_claims
from lkps.doctor.findings import Finding, failed, failed_by, not_checked, ok
from lkps.doctor.patient import Patient
from lkps.errors import LkpsError

_SECONDS, _SECONDS_BESIDE_A_PERSON = 60.0, 330.0
_ATTENDED = frozenset({"browser", "device-code"})

ROLES: Mapping[str, str] = {
    "LKPS.Agent": "runs agents",
    "LKPS.Client": "starts sessions",
    "LKPS.Manage": "manages agents that it owns",
    "LKPS.Admin": "administers LKPS",
    "LKPS.Auditor": "reads the audit trail",
}
SCOPES: Mapping[str, str] = {
    "Agent.Register": "runs agents outside production",
    "Session.Start": "starts sessions",
    "Agent.Manage": "manages agents that they own",
    "Platform.Admin": "administers LKPS",
    "Audit.Read": "reads the audit trail",
}
_ROLE_BESIDE = {"Platform.Admin": "LKPS.Admin", "Audit.Read": "LKPS.Auditor"}
STARTS, ADMINISTERS = ("LKPS.Client", "Session.Start"), ("LKPS.Admin", "Platform.Admin")

_CLAIMS = ("token version", "audience", "tenant", "token kind", "permissions", "expiry")


async def token(patient: Patient) -> AsyncIterator[Finding]:
    if patient.credential is None:
        yield not_checked("access token", "there is no credential to ask with")
        return
    seconds = _SECONDS_BESIDE_A_PERSON if patient.mode in _ATTENDED else _SECONDS
    try:
        async with asyncio.timeout(seconds):
            patient.token = await patient.credential.access_token()
    except TimeoutError:
        yield failed(
            "access token",
            f"none came within {seconds:.0f} s",
            "Have the network opened to Entra ID, or look at LKPS_AUTHORITY",
        )
    except LkpsError as error:
        yield failed_by("access token", error)
    else:
        yield ok("access token", "Entra ID issued one")


async def claims(patient: Patient) -> AsyncIterator[Finding]:
    if not patient.token:
        for step in _CLAIMS:
            yield not_checked(step, "there is no access token")
        return
    found = unverified_claims(patient.token)
    if found is None:
        for step in _CLAIMS:
            yield not_checked(step, "the token cannot be read here")
        return
    patient.claims = found
    yield _version(found)
    yield _audience(found, patient.api_client_id)
    yield _tenant(found, patient.variables.get("AZURE_TENANT_ID", ""))
    yield _kind(found)
    yield _permissions(found, _wanted(patient))
    yield _expiry(found)


def _version(found: Mapping[str, Any]) -> Finding:
    if found.get("ver") == "2.0":
        return ok("token version", "2.0")
    return failed(
        "token version",
        f"{found.get('ver')}, and LKPS takes 2.0",
        "Have an Entra administrator set requestedAccessTokenVersion to 2 in the manifest of LKPS's"
        " API",
    )


def _audience(found: Mapping[str, Any], expected: str) -> Finding:
    if found.get("aud") == expected:
        return ok("audience", expected)
    return failed(
        "audience",
        f"{found.get('aud')}, and LKPS's API is {expected}",
        "Set LKPS_API_CLIENT_ID to the client id of LKPS's API, without api://",
    )


def _tenant(found: Mapping[str, Any], expected: str) -> Finding:
    tenant = str(found.get("tid"))
    if not expected or tenant == expected:
        return ok("tenant", tenant)
    return failed(
        "tenant",
        f"{tenant}, and AZURE_TENANT_ID is {expected}",
        "Set AZURE_TENANT_ID to the id (not the domain) of the tenant that LKPS is in",
    )


def _kind(found: Mapping[str, Any]) -> Finding:
    kind = found.get("idtyp")
    if kind in {"app", "user"}:
        return ok("token kind", str(kind))
    return failed(
        "token kind",
        "the claim idtyp is missing: LKPS cannot tell a program from a person",
        "Have an Entra administrator add the optional claim idtyp, with include_user_token, to"
        " LKPS's API",
    )


def _permissions(found: Mapping[str, Any], wanted: Collection[str]) -> Finding:
    is_user = bool(found.get("scp")) or found.get("idtyp") == "user"
    held = _of_user(found) if is_user else _of_application(found)
    known = SCOPES if is_user else ROLES
    if not held:
        return failed(
            "permissions", _none_of(found, is_user=is_user), _how_to_get(known, is_user=is_user)
        )
    lacking = [one for one in wanted if one in known and one not in held]
    if lacking:
        return failed(
            "permissions",
            f"{', '.join(held)}; what was asked for here needs {' and '.join(lacking)}",
            _how_to_get({one: known[one] for one in lacking}, is_user=is_user),
        )
    return ok("permissions", ", ".join(f"{one} ({known[one]})" for one in held))


def _of_application(found: Mapping[str, Any]) -> list[str]:
    roles = found.get("roles")
    return [one for one in ROLES if isinstance(roles, list) and one in roles]


def _of_user(found: Mapping[str, Any]) -> list[str]:
    scopes, roles = str(found.get("scp", "")).split(" "), found.get("roles") or []
    return [
        one
        for one in SCOPES
        if one in scopes and (one not in _ROLE_BESIDE or _ROLE_BESIDE[one] in roles)
    ]


def _none_of(found: Mapping[str, Any], *, is_user: bool) -> str:
    bare = [one for one in _ROLE_BESIDE if one in str(found.get("scp", "")).split(" ")]
    if bare:
        return (
            f"{', '.join(bare)} without the role {_ROLE_BESIDE[bare[0]]}, which counts for nothing"
        )
    kind = "scopes" if is_user else "app roles"
    others = found.get("scp" if is_user else "roles")
    return f"the token has none of LKPS's {kind}{f' (it has {others})' if others else ''}"


def _how_to_get(known: Mapping[str, str], *, is_user: bool) -> str:
    which = ", ".join(f"{one} ({does})" for one, does in known.items())
    if is_user:
        return f"Sign in again and allow it, or have an Entra administrator consent to: {which}"
    return (
        f"Have an Entra administrator assign the application: {which}. A managed identity sees a"
        " new role within a day"
    )


def _wanted(patient: Patient) -> list[str]:
    return [*(STARTS if patient.call else ()), *(ADMINISTERS if patient.platform else ())]


def _expiry(found: Mapping[str, Any]) -> Finding:
    expires = found.get("exp")
    if not isinstance(expires, int):
        return not_checked("expiry", "the token does not say when it expires")
    left = expires - time.time()
    if left > 0:
        return ok("expiry", f"in {left / 60:.0f} minutes, and it is renewed before")
    return failed(
        "expiry",
        f"the token expired {-left / 60:.0f} minutes ago, by this machine's clock",
        "Set this machine's clock right; if it is, sign in again",
    )
