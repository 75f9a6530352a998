"""The rules that turn a token's signed claims into a Principal."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from lkps_core.errors import TokenInvalid
from lkps_core.identity.authority import GUID
from lkps_core.identity.principal import Principal
from lkps_core.identity.token import Claims, SignedClaims

SKEW = timedelta(seconds=60)
LONGEST_LIFE = timedelta(hours=29)

APP_ROLES = frozenset(("LKPS.Agent", "LKPS.Client", "LKPS.Manage", "LKPS.Admin", "LKPS.Auditor"))
USER_SCOPES = frozenset(
    ("Session.Start", "Agent.Register", "Agent.Manage", "Platform.Admin", "Audit.Read")
)
ROLE_BEHIND_SCOPE = {"Platform.Admin": "LKPS.Admin", "Audit.Read": "LKPS.Auditor"}

_UTI = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROOFS_OF_A_CLIENT = {"1": 1, "2": 2}  # a secret, a certificate; "0" is a public client


@dataclass(frozen=True, slots=True)
class Rules:
    """Whose tokens are taken. `minimum_azpacr` is 2 where applications must hold a certificate."""

    issuer: str
    tenant_id: str
    audience: str
    minimum_azpacr: int = 0


def refuse_foreign(claims: Claims, rules: Rules) -> None:
    """Raise TokenInvalid unless the token is this tenant's, for this API, and of version 2.0.

    It is one tuple, compared exactly: an audience array is refused, even one with a single entry.
    """
    expected = {
        "ver": "2.0",
        "iss": rules.issuer,
        "tid": rules.tenant_id,
        "aud": rules.audience,
    }
    for name, value in expected.items():
        if claims.get(name) != value:
            raise TokenInvalid(f"claim_{name}")


def principal(claims: SignedClaims, rules: Rules, now: datetime) -> Principal:
    """Return who is calling, or raise TokenInvalid with the claim that was refused."""
    refuse_foreign(claims, rules)
    _check_times(claims, now)
    if "cnf" in claims:
        # Bound to a key that the sender would have to prove: as a bearer token it may be stolen.
        raise TokenInvalid("claim_cnf")
    kind = claims.get("idtyp")
    if kind not in ("app", "user"):
        raise TokenInvalid("claim_idtyp")
    return Principal(
        kind=kind,
        tid=rules.tenant_id,
        oid=_text(claims, "oid", GUID),
        azp=_text(claims, "azp", GUID),
        uti=_text(claims, "uti", _UTI),
        permissions=_of_app(claims, rules) if kind == "app" else _of_user(claims),
        groups=_groups(claims) if kind == "user" else frozenset(),
        groups_overage=kind == "user" and _has_too_many_groups(claims),
    )


def _check_times(claims: Claims, now: datetime) -> None:
    issued, not_before, expires = (_seconds(claims, name) for name in ("iat", "nbf", "exp"))
    earliest, latest = (now - SKEW).timestamp(), (now + SKEW).timestamp()
    if expires <= earliest:
        raise TokenInvalid("claim_exp", expired=True)
    if not_before > latest:
        raise TokenInvalid("claim_nbf")
    if issued > latest:
        raise TokenInvalid("claim_iat")
    if expires - min(issued, not_before) > LONGEST_LIFE.total_seconds():
        raise TokenInvalid("lifetime")


def _seconds(claims: Claims, name: str) -> int:
    value = claims.get(name)
    if type(value) is not int:  # a bool is an int to isinstance
        raise TokenInvalid(f"claim_{name}")
    return value


def _of_app(claims: Claims, rules: Rules) -> frozenset[str]:
    if "scp" in claims:
        raise TokenInvalid("claim_scp")
    proof = claims.get("azpacr")
    strength = _PROOFS_OF_A_CLIENT.get(proof, 0) if isinstance(proof, str) else 0
    if strength < max(1, rules.minimum_azpacr):
        raise TokenInvalid("claim_azpacr")
    return APP_ROLES & _roles(claims)


def _of_user(claims: Claims) -> frozenset[str]:
    """A scope counts, and where it needs a role, only together; a role alone never does."""
    roles = _roles(claims)
    return frozenset(
        scope
        for scope in USER_SCOPES & _scopes(claims)
        if scope not in ROLE_BEHIND_SCOPE or ROLE_BEHIND_SCOPE[scope] in roles
    )


def _groups(claims: Claims) -> frozenset[str]:
    groups = claims.get("groups") if "groups" in claims else []
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise TokenInvalid("claim_groups")
    return frozenset(groups)


def _has_too_many_groups(claims: Claims) -> bool:
    """Microsoft, "Groups overage claim": the token says where groups are asked for instead.

    Whatever else these members are, groups may be missing: taken for an overage, never for none.
    """
    names = claims.get("_claim_names")
    elsewhere = not isinstance(names, dict) or "groups" in names
    return ("_claim_names" in claims and elsewhere) or "hasgroups" in claims


def _roles(claims: Claims) -> frozenset[str]:
    roles = claims.get("roles") if "roles" in claims else []
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise TokenInvalid("claim_roles")
    return frozenset(roles)


def _scopes(claims: Claims) -> frozenset[str]:
    scopes = claims.get("scp") if "scp" in claims else ""
    if not isinstance(scopes, str):
        raise TokenInvalid("claim_scp")
    return frozenset(scopes.split(" "))


def _text(claims: Claims, name: str, pattern: re.Pattern[str]) -> str:
    """One spelling only: records are keyed on it, and an upper-case twin would be another."""
    value = claims.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise TokenInvalid(f"claim_{name}")
    return value
