"""A signed token: read with strict eyes, then verified; what is verified is a type of its own."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lkps_core.errors import TokenInvalid
from lkps_core.strict_json import NotStrictJson, parse_object

ALGORITHM = "RS256"
KID = re.compile(r"[A-Za-z0-9_-]{1,128}")

_TYPES = ("JWT", "at+jwt")
_REFUSED_MEMBERS = frozenset(
    ("crit", "b64", "zip", "enc", "cty", "jku", "jwk", "x5u", "x5c", "nonce")
)


class Claims:
    """Members of a token's payload, read by name and never shown."""

    __slots__ = ("_members",)

    def __init__(self, members: Mapping[str, object]) -> None:
        self._members = members

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def get(self, name: str) -> object:
        """The claim's value; None when it is absent, as no claim of ours may be null."""
        return self._members.get(name)


class UnverifiedClaims(Claims):
    """What a token says of itself: good for refusing it early, and for nothing else."""

    __slots__ = ()


class SignedClaims(Claims):
    """Claims under a signature that was verified: only `verify` can make them."""

    __slots__ = ()

    def __init__(self, members: Mapping[str, object], seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("signed claims come from the verifier alone")
        super().__init__(members)


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A token whose header is in order, and whose payload nobody has vouched for yet."""

    text: str = field(repr=False)
    kid: str
    claims: UnverifiedClaims


def read(text: str) -> UnverifiedToken:
    """Read the three parts of a compact token without believing them."""
    header, payload, _ = text.split(".")
    return UnverifiedToken(
        text=text,
        kid=_checked_kid(_object(_decoded(header), "header_not_json")),
        claims=UnverifiedClaims(_object(_decoded(payload), "payload_not_json")),
    )


def verify(token: UnverifiedToken, key: RSAPublicKey) -> SignedClaims:
    """Check the signature with the one key that the token's `kid` names."""
    try:
        verified = _JWS.decode_complete(token.text, key, algorithms=[ALGORITHM])
    except jwt.PyJWTError as error:
        raise TokenInvalid("signature") from error
    return SignedClaims(_object(verified["payload"], "payload_not_json"), _SEAL)


def _checked_kid(header: Mapping[str, object]) -> str:
    if not _REFUSED_MEMBERS.isdisjoint(header):
        raise TokenInvalid("header_member")
    if header.get("alg") != ALGORITHM:
        raise TokenInvalid("header_alg")
    if "typ" in header and header["typ"] not in _TYPES:
        raise TokenInvalid("header_typ")
    kid = header.get("kid")
    if not isinstance(kid, str) or not KID.fullmatch(kid):
        raise TokenInvalid("header_kid")
    return kid


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise TokenInvalid("token_shape") from error


def _object(raw: bytes, reason: str) -> dict[str, object]:
    try:
        return parse_object(raw)
    except NotStrictJson as error:
        raise TokenInvalid(reason) from error


_JWS = jwt.PyJWS(algorithms=[ALGORITHM], options={"enforce_minimum_key_length": True})
_SEAL = object()
