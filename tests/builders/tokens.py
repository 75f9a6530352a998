"""Access tokens as a tenant would issue them, and as nobody should."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from lkps_core.errors import KeysUnavailable
from lkps_core.identity import Authenticator, Keys, Rules

AUTHORITY: Final = "https://login.microsoftonline.com"
TENANT: Final = "6f2c1d7e-4a3b-4c8d-9e0f-1a2b3c4d5e6f"
AUDIENCE: Final = "0b7a1c52-93de-4f61-8a24-7c5d6e8f9012"
ISSUER: Final = f"{AUTHORITY}/{TENANT}/v2.0"
CLIENT_APP: Final = "c0ffee00-1111-4222-8333-444455556666"
SERVICE_PRINCIPAL: Final = "5e1f0000-aaaa-4bbb-8ccc-ddddeeeeffff"
USER: Final = "a11ce000-1234-4321-8765-0123456789ab"
NOW: Final = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
RULES: Final = Rules(issuer=ISSUER, tenant_id=TENANT, audience=AUDIENCE)

ABSENT: Final = object()
"""Given as a member's value: the member is left out."""


@dataclass(frozen=True)
class SigningKey:
    kid: str
    private: rsa.RSAPrivateKey = field(repr=False)

    def jwk(self, **changes: object) -> dict[str, object]:
        numbers = self.private.public_key().public_numbers()
        return _members(
            {
                "kty": "RSA",
                "use": "sig",
                "kid": self.kid,
                "n": number64(numbers.n),
                "e": number64(numbers.e),
                "issuer": f"{AUTHORITY}/{{tenantid}}/v2.0",
            },
            changes,
        )


@cache
def signing_key(
    kid: str = "tenant-key-1", *, bits: int = 2048, exponent: int = 65537
) -> SigningKey:
    """The same key for the same arguments, made once."""
    return SigningKey(kid, rsa.generate_private_key(exponent, bits))


def app_claims(**changes: object) -> dict[str, object]:
    """The claims of an application that may start sessions."""
    issued = int(NOW.timestamp()) - 300
    return _members(
        {
            "aud": AUDIENCE,
            "iss": ISSUER,
            "iat": issued,
            "nbf": issued,
            "exp": issued + 3900,
            "azp": CLIENT_APP,
            "azpacr": "2",
            "idtyp": "app",
            "oid": SERVICE_PRINCIPAL,
            "roles": ["LKPS.Client"],
            "sub": SERVICE_PRINCIPAL,
            "tid": TENANT,
            "uti": "eCZGvWgLBEqrh_nKvpsPAA",
            "ver": "2.0",
        },
        changes,
    )


def user_claims(**changes: object) -> dict[str, object]:
    """The claims of a user of a public client who may start sessions."""
    claims = app_claims(idtyp="user", oid=USER, azpacr="0", roles=ABSENT, scp="Session.Start")
    return _members(claims, {"preferred_username": "alice@example.com", **changes})


def header(**changes: object) -> dict[str, object]:
    return _members({"typ": "JWT", "alg": "RS256", "kid": "tenant-key-1"}, changes)


def signed(
    payload: Mapping[str, object] | bytes,
    *,
    head: Mapping[str, object] | bytes | None = None,
    key: SigningKey | None = None,
) -> str:
    """A compact token whose signature is right, whatever its two other parts are."""
    key = key or signing_key()
    head = header(kid=key.kid) if head is None else head
    parts = f"{b64(_bytes(head))}.{b64(_bytes(payload))}"
    signature = key.private.sign(parts.encode(), padding.PKCS1v15(), SHA256())
    return f"{parts}.{b64(signature)}"


def bearer(
    payload: Mapping[str, object] | bytes,
    *,
    head: Mapping[str, object] | bytes | None = None,
    key: SigningKey | None = None,
) -> str:
    return f"Bearer {signed(payload, head=head, key=key)}"


def renewed(authorization: str, now: datetime) -> str:
    """The same caller's, issued as long before `now` as the builders' are before NOW."""
    payload = authorization.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    later = int((now - NOW).total_seconds())
    return bearer(claims | {name: claims[name] + later for name in ("iat", "nbf", "exp")})


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def number64(number: int) -> str:
    return b64(number.to_bytes((number.bit_length() + 7) // 8))


class PublishedKeys:
    """A KeySource in memory: what is published now, and how often it was read."""

    def __init__(self, *keys: SigningKey) -> None:
        self.jwks: Mapping[str, object] = {}
        self.is_reachable = True
        self.fetches = 0
        self.publish(*(keys or (signing_key(),)))

    def publish(self, *keys: SigningKey) -> None:
        self.jwks = {"keys": [key.jwk() for key in keys]}

    async def fetch(self) -> Mapping[str, object]:
        self.fetches += 1
        if not self.is_reachable:
            raise KeysUnavailable(reason="published_nowhere")
        return self.jwks


def authenticator(source: PublishedKeys | None = None, rules: Rules = RULES) -> Authenticator:
    """The real one, over keys in memory, at the moment NOW."""
    return Authenticator(Keys(source or PublishedKeys(), rules.issuer, lambda: NOW), rules)


def _members(members: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}


def _bytes(part: Mapping[str, object] | bytes) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(part).encode()
