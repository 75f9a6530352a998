"""The running stand-in: its two listeners, and the `tenant.json` that is there while they are."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from dev.tenant.assertions import AssertionVerifier
from dev.tenant.certificates import LOOPBACK, keep_authority, keep_leaf
from dev.tenant.codes import Codes
from dev.tenant.cors import let_loopback_pages_read
from dev.tenant.describing import describe
from dev.tenant.description import Tenant
from dev.tenant.devices import INTERVAL_SECONDS, LIFETIME_SECONDS, DeviceCodes
from dev.tenant.directory import Directory, keep_directory
from dev.tenant.endpoints import answer_refusals
from dev.tenant.grants import Grants
from dev.tenant.keys import KeyRing
from dev.tenant.metadata import token_endpoint
from dev.tenant.people_grants import PeopleGrants
from dev.tenant.refresh_tokens import RefreshTokens
from dev.tenant.routes import plain_routes, secure_routes
from dev.tenant.state import write_private
from dev.tenant.tokens import Issuer


@dataclass(frozen=True, slots=True)
class Options:
    """A port of 0 takes a free one; a `token_lifetime` of None is Entra's 60 to 90 minutes."""

    state: Path
    http_port: int = 0
    https_port: int = 0
    host: str = "127.0.0.1"
    token_lifetime: int | None = None
    single_use_assertions: bool = False
    device_code_lifetime: int = LIFETIME_SECONDS
    device_code_interval: int = INTERVAL_SECONDS


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Tenant]:
    """Serves until the block ends. Raises `ValueError` for a host that is not loopback."""
    with (
        _listen(options.host, options.http_port) as http,
        _listen(options.host, options.https_port) as https,
    ):
        state = options.state.resolve()
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        description = state / "tenant.json"
        description.unlink(missing_ok=True)
        tls = _tls(state)
        directory = keep_directory(state)
        tenant = describe(state, directory, _url("http", http), _url("https", https))
        grants = _grants(options, tenant, directory, KeyRing.keep(state))
        plain, secure = plain_routes(tenant, grants), secure_routes(tenant, grants)
        async with _site(http, plain), _site(https, secure, tls):
            write_private(description, tenant.as_json())
            try:
                yield tenant
            finally:
                description.unlink(missing_ok=True)


def loopback(host: str) -> str:
    """`host`, when it is one that the leaf names; raises `ValueError` when not."""
    if host not in LOOPBACK:
        raise ValueError(f"{host} is neither 127.0.0.1 nor ::1")
    return host


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((loopback(host), port), family=family)


def _url(scheme: str, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _tls(state: Path) -> ssl.SSLContext:
    keep_leaf(state, keep_authority(state))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(state / "leaf.pem", state / "leaf.key")
    return context


def _grants(options: Options, tenant: Tenant, directory: Directory, keys: KeyRing) -> Grants:
    authorities = (tenant.authority, tenant.authority_https)
    audiences = tuple(token_endpoint(each, tenant.tenant_id) for each in authorities)
    url = f"{tenant.authority}/{tenant.tenant_id}/v2.0"
    devices = DeviceCodes(options.device_code_lifetime, options.device_code_interval)
    issuer = Issuer(url, directory, keys, options.token_lifetime)
    return Grants(
        issuer,
        AssertionVerifier(audiences, options.single_use_assertions),
        PeopleGrants(issuer, Codes(), devices, RefreshTokens()),
    )


@asynccontextmanager
async def _site(
    listener: socket.socket, routes: list[web.RouteDef], tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    app = web.Application(middlewares=[let_loopback_pages_read, answer_refusals])
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, listener, ssl_context=tls).start()
        yield
    finally:
        await runner.cleanup()
