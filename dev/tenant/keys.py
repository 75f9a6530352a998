"""The tenant's signing keys: one that signs, the next one, and those still published."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self, cast

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from dev.tenant.certified import CertifiedKey, self_signed
from dev.tenant.state import write_private

LIFE = timedelta(days=5 * 365)


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """Entra names a key after its certificate: `kid` and `x5t` are the SHA-1 thumbprint."""

    certified: CertifiedKey

    @classmethod
    def make(cls) -> Self:
        return cls(self_signed("LKPS local tenant signing key", LIFE))

    @property
    def kid(self) -> str:
        return base64url(self.certified.certificate.fingerprint(hashes.SHA1()))  # noqa: S303 a name

    def sign(self, header: Mapping[str, object], claims: Mapping[str, object]) -> str:
        """A JWS signed with RS256, whatever `header` says about it."""
        parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims))
        signed = ".".join(base64url(part) for part in parts)
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"

    def as_jwk(self, issuer: str) -> dict[str, object]:
        numbers = self._key.public_key().public_numbers()
        certificate = self.certified.certificate.public_bytes(serialization.Encoding.DER)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": base64url(numbers.n.to_bytes(self._key.key_size // 8)),
            "e": base64url(numbers.e.to_bytes(3)),
            "x5c": [base64.b64encode(certificate).decode()],
            "issuer": issuer,
        }

    @property
    def _key(self) -> rsa.RSAPrivateKey:
        return cast("rsa.RSAPrivateKey", self.certified.key)


@dataclass(slots=True, repr=False)
class KeyRing:
    """The keys of a state directory; every change is written through.

    The first signs, the second is published ahead of its use, and the rest have signed before.
    """

    file: Path
    keys: tuple[SigningKey, ...]

    @classmethod
    def keep(cls, state: Path) -> Self:
        """The ring of `state`, made there when it has none."""
        file = state / "signing-keys.json"
        if file.exists():
            pairs: list[list[str]] = json.loads(file.read_text())
            keys = (SigningKey(CertifiedKey.from_pem(*pair)) for pair in pairs)
            return cls(file, tuple(keys))
        ring = cls(file, ())
        ring.replace_with(SigningKey.make(), SigningKey.make())
        return ring

    @property
    def current(self) -> SigningKey:
        return self.keys[0]

    def jwks(self, issuer: str) -> dict[str, object]:
        return {"keys": [key.as_jwk(issuer) for key in self.keys]}

    def rotate(self, fresh: SigningKey, *, planned: bool, drop_old: bool) -> None:
        """Sign with another key from now on.

        `planned` lets the next key, which verifiers may already hold, take over, and `fresh`
        becomes the next one. Otherwise `fresh` signs at once, as after the loss of a key.
        """
        retired, following, *older = self.keys
        now, ahead = (following, fresh) if planned else (fresh, following)
        self.replace_with(now, ahead, *(() if drop_old else (retired, *older)))

    def replace_with(self, *keys: SigningKey) -> None:
        pairs = [(key.certified.key_pem, key.certified.certificate_pem) for key in keys]
        write_private(self.file, json.dumps(pairs))
        self.keys = keys


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
