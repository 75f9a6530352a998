"""The routes that Entra has for programs: OpenID metadata, the JWKS and the token endpoint."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from dev.tenant import wire
from dev.tenant.grants import Grants
from dev.tenant.metadata import metadata
from dev.tenant.refusals import Refused

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """One listener's endpoints. Metadata names this listener's `authority`."""

    authority: str
    grants: Grants

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self.metadata),
            web.get("/{tenant}/discovery/v2.0/keys", self.keys),
            web.post("/{tenant}/oauth2/v2.0/token", self.token),
        ]

    async def metadata(self, request: web.Request) -> web.Response:
        self._require_tenant(request)
        tenant_id = self.grants.issuer.directory.tenant_id
        return web.json_response(metadata(self.authority, tenant_id))

    async def keys(self, request: web.Request) -> web.Response:
        self._require_tenant(request)
        issuer = self.grants.issuer
        return web.json_response(issuer.keys.jwks(issuer.url))

    async def token(self, request: web.Request) -> web.Response:
        self._require_tenant(request)
        answer = self.grants.answer(await wire.form(request))
        return web.json_response(answer, headers=NO_STORE)

    def _require_tenant(self, request: web.Request) -> None:
        wire.require_tenant(request, self.grants.issuer.directory.tenant_id)


@web.middleware
async def answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        body = refused.body(wire.correlation_id(request))
        return web.json_response(body, status=refused.status, headers=NO_STORE)
