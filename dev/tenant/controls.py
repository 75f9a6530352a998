"""The routes that Entra does not have: tests rotate keys and craft tokens through them."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from dev.tenant.identities import CLI
from dev.tenant.keys import SigningKey
from dev.tenant.tokens import CLIENT_CERTIFICATE, CLIENT_SECRET, Claims, Issuer


@dataclass(frozen=True, slots=True)
class Controls:
    issuer: Issuer

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/dev/rotate-keys", self.rotate_keys),
            web.post("/dev/token", self.craft_token),
        ]

    async def rotate_keys(self, request: web.Request) -> web.Response:
        """`?planned=true` promotes the published next key; `?drop_old=true` unpublishes."""
        fresh = await asyncio.to_thread(SigningKey.make)
        ring = self.issuer.keys
        ring.rotate(fresh, planned=_flag(request, "planned"), drop_old=_flag(request, "drop_old"))
        kids = [key.kid for key in ring.keys]
        return web.json_response({"kid": ring.current.kid, "kids": kids})

    async def craft_token(self, request: web.Request) -> web.Response:
        """An identity's own token, changed as asked, under a valid RS256 signature.

        Body: `{identity, certificate?, claims?, header?, without?, without_header?}`, where
        `claims` and `header` replace members and the other two name members to leave out.
        """
        asked = await request.json()
        certificate = bool(asked.get("certificate"))
        claims = self._claims_of(asked["identity"], certificate=certificate)
        token = self.issuer.keys.current.sign(
            _changed(
                self.issuer.header(), asked.get("header", {}), asked.get("without_header", [])
            ),
            _changed(claims, asked.get("claims", {}), asked.get("without", [])),
        )
        return web.json_response({"access_token": token})

    def _claims_of(self, name: str, *, certificate: bool) -> Claims:
        for client in self.issuer.directory.applications:
            if client.application.name == name:
                authentication = CLIENT_CERTIFICATE if certificate else CLIENT_SECRET
                return self.issuer.application_claims(client, authentication)
        for user in self.issuer.directory.people:
            if user.person.name == name:
                client_id = self.issuer.directory.public_clients[CLI]
                return self.issuer.person_claims(user, user.person.scopes, client_id)
        raise web.HTTPNotFound(text=f"no identity {name!r}")


def _flag(request: web.Request, name: str) -> bool:
    return request.query.get(name) == "true"


def _changed(members: Claims, changes: Claims, without: list[str]) -> Claims:
    changed = members | changes
    return {name: value for name, value in changed.items() if name not in without}
