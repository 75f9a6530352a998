"""What `tenant.json` says of a running stand-in tenant, and how to get tokens from it."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Self

import aiohttp


class TokenRefused(Exception):  # noqa: N818  the domain's word
    """The tenant refused to issue a token, for the reason that it gave."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An application or a person, and the form parameters with which it gets a token.

    An application's `client_id` is its own; a person's is that of the client they sign in through.
    The two files are there for applications that have a certificate.
    """

    name: str
    kind: Literal["app", "user"]
    client_id: str
    object_id: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    token_endpoint: str
    grant: str
    scope: str
    client_secret: str | None = field(default=None, repr=False)
    certificate_file: str | None = None
    private_key_file: str | None = None
    username: str | None = None

    def form(self, scope: str) -> dict[str, str]:
        """The token request's body."""
        proof = (
            {"client_secret": self.client_secret}
            if self.client_secret is not None
            else {"username": self.username or ""}
        )
        return {"grant_type": self.grant, "client_id": self.client_id, "scope": scope, **proof}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A running stand-in. `authority` is the http one, which is also the issuer's."""

    tenant_id: str
    authority: str
    authority_https: str
    ca_file: str
    audience: str
    identities: tuple[Identity, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        written = json.loads(path.read_text())
        identities = tuple(
            Identity(**each | {"roles": tuple(each["roles"]), "scopes": tuple(each["scopes"])})
            for each in written["identities"]
        )
        return cls(**written | {"identities": identities})

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=2)

    def identity(self, name: str) -> Identity:
        """Raises `KeyError` for a name that the tenant does not know."""
        for identity in self.identities:
            if identity.name == name:
                return identity
        raise KeyError(name)

    async def access_token(self, name: str, scopes: Collection[str] = ()) -> str:
        """A new access token. A person may ask for some of their scopes by their short names."""
        identity = self.identity(name)
        asked = " ".join(f"api://{self.audience}/{scope}" for scope in scopes)
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                identity.token_endpoint, data=identity.form(asked or identity.scope)
            ) as response,
        ):
            return _access_token(await response.json())

    async def crafted_token(
        self,
        name: str,
        *,
        claims: Mapping[str, object] | None = None,
        without: Sequence[str] = (),
        header: Mapping[str, object] | None = None,
        without_header: Sequence[str] = (),
    ) -> str:
        """An identity's token with claims and header members replaced or left out, well signed."""
        asked = {
            "identity": name,
            "claims": dict(claims or {}),
            "without": list(without),
            "header": dict(header or {}),
            "without_header": list(without_header),
        }
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(f"{self.authority}/dev/token", json=asked) as response,
        ):
            return _access_token(await response.json())

    async def rotate_keys(self, *, planned: bool = False, drop_old: bool = False) -> str:
        """Makes another key sign, one that no verifier has seen unless `planned`; its `kid`."""
        query = {"planned": str(planned).lower(), "drop_old": str(drop_old).lower()}
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(f"{self.authority}/dev/rotate-keys", params=query) as response,
        ):
            return str((await response.json())["kid"])


def _access_token(answer: Mapping[str, object]) -> str:
    if "access_token" not in answer:
        raise TokenRefused(answer.get("error_description"))
    return str(answer["access_token"])
