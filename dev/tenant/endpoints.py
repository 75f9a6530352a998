"""The routes that Entra has too: OpenID metadata, the JWKS and the token endpoint."""

import base64
import binascii
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from aiohttp import web

from dev.tenant import refusals
from dev.tenant.grants import Grants
from dev.tenant.refusals import Refused

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}


def token_endpoint(authority: str, tenant_id: str) -> str:
    return f"{authority}/{tenant_id}/oauth2/v2.0/token"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """One listener's endpoints. Metadata names this listener's `authority`, and one issuer."""

    authority: str
    grants: Grants

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self.metadata),
            web.get("/{tenant}/discovery/v2.0/keys", self.keys),
            web.post("/{tenant}/oauth2/v2.0/token", self.token),
        ]

    async def metadata(self, request: web.Request) -> web.Response:
        tenant_id = self._require_tenant(request)
        base = f"{self.authority}/{tenant_id}"
        return web.json_response(
            {
                "token_endpoint": token_endpoint(self.authority, tenant_id),
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["code"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "issuer": self.grants.issuer.url,
                "request_uri_parameter_supported": False,
                # MSAL reads this member and refuses metadata without it
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            }
        )

    async def keys(self, request: web.Request) -> web.Response:
        self._require_tenant(request)
        issuer = self.grants.issuer
        return web.json_response(issuer.keys.jwks(issuer.url))

    async def token(self, request: web.Request) -> web.Response:
        self._require_tenant(request)
        form = await _form(request)
        return web.json_response(self.grants.answer(form), headers=NO_STORE)

    def _require_tenant(self, request: web.Request) -> str:
        asked = request.match_info["tenant"]
        tenant_id = self.grants.issuer.directory.tenant_id
        if asked.lower() != tenant_id:
            raise refusals.tenant_unknown(asked)
        return tenant_id


@web.middleware
async def answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        correlation_id = _correlation_id(request)
        body = refused.body(correlation_id)
        return web.json_response(body, status=refused.status, headers=NO_STORE)


def _correlation_id(request: web.Request) -> str:
    try:
        return str(uuid.UUID(request.headers.get("client-request-id", "")))
    except ValueError:
        return str(uuid.uuid4())


async def _form(request: web.Request) -> Mapping[str, str]:
    """The body's parameters; those of Basic authentication (RFC 6749 section 2.3.1) join them."""
    posted = await request.post()
    form: dict[str, str] = {}
    for name, value in posted.items():
        if name in form:
            raise refusals.parameter_repeated(name)
        form[name] = str(value)
    return form | _basic_credentials(request.headers.get("Authorization", ""))


def _basic_credentials(authorization: str) -> dict[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise refusals.credential_missing() from error
    client_id, _, secret = decoded.partition(":")
    return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}
