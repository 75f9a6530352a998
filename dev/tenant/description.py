"""What `tenant.json` says of a running stand-in tenant, and how to get tokens from it."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import aiohttp

from dev.tenant.identity import Identity

__all__ = ["Identity", "Tenant", "TokenRefused"]


class TokenRefused(Exception):  # noqa: N818  the domain's word
    """The tenant refused to issue a token, for the reason that it gave."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A running stand-in. `authority` is the http one, which is also the issuer's.

    `public_clients` has client ids, and `groups` object ids, by name.
    """

    tenant_id: str
    authority: str
    authority_https: str
    ca_file: str
    audience: str
    public_clients: Mapping[str, str]
    groups: Mapping[str, str]
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

    async def access_token(
        self, name: str, scopes: Collection[str] = (), *, through: str = "cli"
    ) -> str:
        """A new access token.

        A person may ask for some of their scopes by their short names, and signs in `through` one
        of the public clients.
        """
        identity = self.identity(name)
        asked = " ".join(f"api://{self.audience}/{scope}" for scope in scopes)
        form = identity.form(asked or identity.scope)
        if identity.kind == "user":
            form["client_id"] = self.public_clients[through]
        async with (
            aiohttp.ClientSession() as session,
            session.post(identity.token_endpoint, data=form) as response,
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
