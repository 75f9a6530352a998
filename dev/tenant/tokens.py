"""Access tokens in the shape of Entra's v2.0 endpoint: the claims, their header, the answer.

Microsoft: "Access token claims reference". The API's registration asks for the optional claims
`groups` and `idtyp`, the latter with its property `include_user_token`.
"""

import hashlib
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from dev.tenant.directory import Directory, RegisteredApplication, RegisteredPerson
from dev.tenant.groups import group_claims
from dev.tenant.keys import KeyRing, base64url

type ClientAuthentication = Literal["0", "1", "2"]
type Claims = dict[str, object]

PUBLIC_CLIENT: ClientAuthentication = "0"
CLIENT_SECRET: ClientAuthentication = "1"
CLIENT_CERTIFICATE: ClientAuthentication = "2"

BACKDATED_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Issuer:
    """`lifetime` in seconds; None draws one of 60 to 90 minutes for each token, as Entra does."""

    url: str
    directory: Directory
    keys: KeyRing
    lifetime: int | None

    def application_claims(
        self, client: RegisteredApplication, authentication: ClientAuthentication
    ) -> Claims:
        claims = self._access_claims(client.client_id, authentication, client.application.roles)
        subject = {"idtyp": "app", "oid": client.object_id, "sub": client.object_id}
        return claims | subject

    def person_claims(
        self, user: RegisteredPerson, scopes: Collection[str], client_id: str
    ) -> Claims:
        person = user.person
        claims = self._access_claims(client_id, PUBLIC_CLIENT, person.roles)
        return claims | {
            **group_claims(user, self.directory),
            "idtyp": "user",
            "name": person.display_name,
            "oid": user.object_id,
            "preferred_username": person.username,
            "scp": " ".join(scopes),
            "sub": self.pairwise_subject(user, self.directory.audience),
        }

    def common_claims(self, audience: str) -> Claims:
        """What access tokens and ID tokens have alike."""
        now = int(time.time())
        issued = now - BACKDATED_SECONDS  # Entra's tokens begin five minutes in the past
        lifetime = self.lifetime or 3600 + secrets.randbelow(1801)
        return {
            "aud": audience,
            "iss": self.url,
            "iat": issued,
            "nbf": issued,
            "exp": now + lifetime,
            "aio": base64url(secrets.token_bytes(48)),
            "rh": f"1.{base64url(secrets.token_bytes(36))}.",
            "tid": self.directory.tenant_id,
            "uti": base64url(secrets.token_bytes(16)),
            "ver": "2.0",
        }

    def pairwise_subject(self, user: RegisteredPerson, audience: str) -> str:
        parts = (self.directory.tenant_id, audience, user.object_id)
        return base64url(hashlib.sha256("\n".join(parts).encode()).digest())

    def header(self) -> Claims:
        return {"typ": "JWT", "alg": "RS256", "kid": self.keys.current.kid}

    def sign(self, claims: Claims) -> str:
        return self.keys.current.sign(self.header(), claims)

    def answer(self, claims: Claims) -> dict[str, object]:
        """The token endpoint's answer with an access token of these claims."""
        issued, expires = claims["iat"], claims["exp"]
        assert isinstance(issued, int)
        assert isinstance(expires, int)
        expires_in = expires - issued - BACKDATED_SECONDS - 1
        return {
            "token_type": "Bearer",
            "expires_in": expires_in,
            "ext_expires_in": expires_in,
            "access_token": self.sign(claims),
        }

    def _access_claims(
        self, client_id: str, authentication: ClientAuthentication, roles: tuple[str, ...]
    ) -> Claims:
        client = {"azp": client_id, "azpacr": authentication}
        claims = self.common_claims(self.directory.audience) | client
        return claims | {"roles": list(roles)} if roles else claims
