"""Client assertions: the JWT with which an application proves that it holds its certificate's key.

Microsoft: "Microsoft identity platform application authentication certificate credentials".
"""

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes

from dev.tenant import refusals
from dev.tenant.certified import CertifiedKey
from dev.tenant.directory import RegisteredApplication
from dev.tenant.keys import base64url

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW_SECONDS = 300
ALGORITHMS = ("RS256", "PS256")
REQUIRED = ("aud", "exp", "iss", "jti", "sub")


@dataclass(slots=True)
class AssertionVerifier:
    """Accepts assertions addressed to one of `audiences`, the token endpoint's addresses.

    A `jti` names one assertion: another assertion with the same `jti` is refused. The same
    assertion may come again until it expires, because MSAL sends each for nine minutes;
    `single_use` refuses that as well.
    """

    audiences: tuple[str, ...]
    single_use: bool
    _seen: dict[tuple[str, str], tuple[float, bytes]] = field(default_factory=dict, repr=False)

    def verify(self, assertion: str, client: RegisteredApplication) -> None:
        """Raises `Refused` unless `client` made this assertion for this tenant."""
        credential = self._credential(assertion, client)
        claims = self._claims(assertion, credential)
        if not claims["iss"] == claims["sub"] == client.client_id:
            raise refusals.client_refused(
                700021, "Client assertion application identifier doesn't match 'client_id'."
            )
        self._remember(client.client_id, claims["jti"], float(claims["exp"]), assertion)

    def _credential(self, assertion: str, client: RegisteredApplication) -> CertifiedKey:
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError as error:
            raise _malformed() from error
        if client.credential is None or not _names(header, client.credential):
            raise refusals.client_refused(
                700027, "The certificate that signed the client assertion is not registered."
            )
        return client.credential

    def _claims(self, assertion: str, credential: CertifiedKey) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                credential.certificate.public_key(),  # type: ignore[arg-type]
                algorithms=ALGORITHMS,
                audience=self.audiences,
                leeway=SKEW_SECONDS,
                options={"require": list(REQUIRED), "strict_aud": False},
            )
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            sentence = "Client assertion is not within its valid time range."
            raise refusals.client_refused(700024, sentence) from error
        except jwt.InvalidAudienceError as error:
            sentence = "Client assertion audience claim does not match Realm issuer."
            raise refusals.client_refused(700023, sentence) from error
        except jwt.InvalidSignatureError as error:
            sentence = "Client assertion contains an invalid signature."
            raise refusals.client_refused(700027, sentence) from error
        except jwt.InvalidTokenError as error:
            raise _malformed() from error
        return claims

    def _remember(self, client_id: str, jti: str, expires: float, assertion: str) -> None:
        now = time.time()
        self._seen = {
            key: (until, digest) for key, (until, digest) in self._seen.items() if until > now
        }
        digest = hashlib.sha256(assertion.encode()).digest()
        _, before = self._seen.get((client_id, jti), (0, None))
        if before is not None and (self.single_use or before != digest):
            raise refusals.client_refused(700027, "Client assertion was replayed.")
        self._seen[client_id, jti] = expires + SKEW_SECONDS, digest


def _names(header: dict[str, object], credential: CertifiedKey) -> bool:
    certificate = credential.certificate
    thumbprints = {
        "x5t#S256": base64url(certificate.fingerprint(hashes.SHA256())),
        "x5t": base64url(certificate.fingerprint(hashes.SHA1())),  # noqa: S303  RFC 7515, 4.1.7
    }
    named = {name: header[name] for name in thumbprints if name in header}
    # MSAL leaves the base64 padding on
    return bool(named) and all(
        str(value).rstrip("=") == thumbprints[name] for name, value in named.items()
    )


def _malformed() -> refusals.Refused:
    return refusals.client_refused(50027, "JWT token is invalid or malformed.")
