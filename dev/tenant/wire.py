"""What a request says: its parameters, each once, the tenant in its path, its correlation id."""

import base64
import binascii
import uuid
from collections.abc import Iterable, Mapping
from urllib.parse import unquote_plus

from aiohttp import web

from dev.tenant import refusals


def query(request: web.Request) -> Mapping[str, str]:
    return _each_once(request.query.items())


async def form(request: web.Request) -> Mapping[str, str]:
    """The body's parameters; those of Basic authentication (RFC 6749 section 2.3.1) join them."""
    posted = _each_once((await request.post()).items())
    return posted | _basic_credentials(request.headers.get("Authorization", ""))


def required(parameters: Mapping[str, str], name: str) -> str:
    value = parameters.get(name)
    if not value:
        raise refusals.parameter_missing(name)
    return value


def require_tenant(request: web.Request, tenant_id: str) -> None:
    asked = request.match_info["tenant"]
    if asked.lower() != tenant_id:
        raise refusals.tenant_unknown(asked)


def correlation_id(request: web.Request) -> str:
    """The caller's, or a new one."""
    try:
        return str(uuid.UUID(request.headers.get("client-request-id", "")))
    except ValueError:
        return str(uuid.uuid4())


def _each_once(parameters: Iterable[tuple[str, object]]) -> dict[str, str]:
    read: dict[str, str] = {}
    for name, value in parameters:
        if name in read:
            raise refusals.parameter_repeated(name)
        read[name] = str(value)
    return read


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
