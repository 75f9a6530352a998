"""Which of the keys that a tenant publishes may verify a token."""

import base64
import binascii
import re
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from lkps_core.errors import KeysUnavailable
from lkps_core.identity.token import ALGORITHM, KID

LEAST_BITS = 2048
LEAST_EXPONENT = 65537

_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,4096}")


def usable_keys(published: Mapping[str, object], issuer: str) -> dict[str, RSAPublicKey]:
    """The usable keys of a JWK set (RFC 7517) by their `kid`; what is not usable is left out.

    Two different keys under one `kid` are both left out: a token names one key, and none is tried
    for luck. A set without a usable key says nothing about the tenant: KeysUnavailable.
    """
    entries = published.get("keys")
    keys: dict[str, RSAPublicKey] = {}
    ambiguous: set[str] = set()
    for entry in entries if isinstance(entries, list) else ():
        if not _is_usable(entry, issuer):
            continue
        key, kid = _rsa_key(entry), str(entry["kid"])
        if key is not None and keys.setdefault(kid, key) != key:
            ambiguous.add(kid)
    usable = {kid: key for kid, key in keys.items() if kid not in ambiguous}
    if not usable:
        raise KeysUnavailable(reason="jwks_without_usable_key")
    return usable


def _is_usable(entry: object, issuer: str) -> bool:
    if not isinstance(entry, dict):
        return False
    kid, owner = entry.get("kid"), entry.get("issuer", issuer)
    return (
        entry.get("kty") == "RSA"
        and entry.get("use") == "sig"
        and entry.get("alg", ALGORITHM) == ALGORITHM
        and isinstance(kid, str)
        and KID.fullmatch(kid) is not None
        and isinstance(owner, str)
        and owner.replace("{tenantid}", _tenant_of(issuer)) == issuer
    )


def _tenant_of(issuer: str) -> str:
    """The tenant in `{authority}/{tenant}/v2.0`; shared keys are published for any tenant."""
    return issuer.split("/")[-2]


def _rsa_key(entry: Mapping[str, object]) -> RSAPublicKey | None:
    modulus, exponent = _number(entry.get("n")), _number(entry.get("e"))
    if modulus.bit_length() < LEAST_BITS or exponent < LEAST_EXPONENT or exponent % 2 == 0:
        return None
    try:
        return RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        return None


def _number(value: object) -> int:
    """An unsigned big-endian number in base64url (RFC 7518, 6.3.1); 0 when it is none."""
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value):
        return 0
    try:
        return int.from_bytes(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except binascii.Error:
        return 0
