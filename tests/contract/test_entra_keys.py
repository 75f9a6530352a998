"""EntraKeySource over real HTTP, against an authority that behaves and ones that do not."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lkps_core.adapters import entra
from lkps_core.adapters.entra import EntraKeySource
from lkps_core.errors import KeysUnavailable
from lkps_core.identity import Keys
from tests.builders.tokens import NOW, TENANT, signing_key

METADATA = f"/{TENANT}/v2.0/.well-known/openid-configuration"
KEYS = f"/{TENANT}/discovery/v2.0/keys"

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Authority:
    """Behaves as Entra does until a test changes how one of its addresses answers."""

    def __init__(self) -> None:
        self.answers: dict[str, Handler] = {METADATA: self._metadata, KEYS: self._keys}
        self.asked: list[str] = []
        self.origin = ""
        self.metadata: dict[str, object] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        return await self.answers[request.path](request)

    async def _metadata(self, _: web.Request) -> web.Response:
        published = {
            "issuer": f"{self.origin}/{TENANT}/v2.0",
            "jwks_uri": f"{self.origin}{KEYS}",
            "token_endpoint": f"{self.origin}/{TENANT}/oauth2/v2.0/token",
        }
        return web.json_response(published | self.metadata)

    async def _keys(self, _: web.Request) -> web.Response:
        issuer = f"{self.origin}/{{tenantid}}/v2.0"
        return web.json_response({"keys": [signing_key().jwk(issuer=issuer)]})


@pytest.fixture
async def authority() -> AsyncIterator[Authority]:
    authority = Authority()
    app = web.Application()
    app.router.add_get("/{path:.*}", authority.answer)
    async with TestServer(app) as server:
        authority.origin = str(server.make_url("")).rstrip("/")
        yield authority


async def failure(authority: Authority) -> str:
    with pytest.raises(KeysUnavailable) as refused:
        await EntraKeySource(authority.origin, TENANT).fetch()
    assert refused.value.reason is not None
    return refused.value.reason


async def test_keys_come_from_where_the_tenants_metadata_says(authority: Authority) -> None:
    keys = Keys(
        EntraKeySource(authority.origin, TENANT), f"{authority.origin}/{TENANT}/v2.0", lambda: NOW
    )
    assert await keys.key(signing_key().kid) == signing_key().private.public_key()
    assert authority.asked == [METADATA, KEYS]


async def test_the_environments_proxy_is_not_used(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await EntraKeySource(authority.origin, TENANT).fetch())["keys"]


async def redirect(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/elsewhere")


async def html(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Sign in</html>", content_type="text/html")


async def broken(_: web.Request) -> web.StreamResponse:
    return web.Response(status=500, text="{}", content_type="application/json")


async def absent(_: web.Request) -> web.StreamResponse:
    return web.json_response({}, status=404)


async def duplicated(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"keys":[],"keys":[]}', content_type="application/json")


async def array(_: web.Request) -> web.StreamResponse:
    return web.json_response([])


async def large(_: web.Request) -> web.StreamResponse:
    return web.json_response({"keys": [], "padding": "x" * 300 * 1024})


async def unpacking_to_large(_: web.Request) -> web.StreamResponse:
    response = web.json_response({"keys": [], "padding": "x" * 300 * 1024})
    response.enable_compression(web.ContentCoding.gzip)
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


async def hanging_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


MISBEHAVIOUR: dict[str, tuple[Handler, str]] = {
    "redirects": (redirect, "entra_status"),
    "shows a page": (html, "entra_not_json"),
    "fails": (broken, "entra_status"),
    "knows nothing": (absent, "entra_status"),
    "repeats a member": (duplicated, "entra_not_json"),
    "sends an array": (array, "entra_not_json"),
    "sends too much": (large, "entra_document_too_large"),
    "sends without end": (endless, "entra_document_too_large"),
    "compresses unasked": (unpacking_to_large, "entra_not_json"),
    "hangs up": (hanging_up, "entra_unreachable"),
}


@pytest.mark.parametrize("address", [METADATA, KEYS])
@pytest.mark.parametrize(("handler", "reason"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR.keys())
async def test_an_authority_that_misbehaves_is_an_outage(
    authority: Authority, address: str, handler: Handler, reason: str
) -> None:
    authority.answers[address] = handler
    assert await failure(authority) == reason
    assert "/elsewhere" not in authority.asked


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issuer": "https://evil.example"}, "entra_metadata_issuer"),
        ({"issuer": "{origin}/{{tenantid}}/v2.0"}, "entra_metadata_issuer"),
        ({"issuer": None}, "entra_metadata_issuer"),
        ({"jwks_uri": "https://evil.example/keys"}, "entra_jwks_uri"),
        ({"jwks_uri": "{origin}@evil.example/keys"}, "entra_jwks_uri"),
        ({"jwks_uri": "{origin}.evil.example/keys"}, "entra_jwks_uri"),
        ({"jwks_uri": "{origin}0/keys"}, "entra_jwks_uri"),
        ({"jwks_uri": "/keys"}, "entra_jwks_uri"),
        ({"jwks_uri": ["{origin}/keys"]}, "entra_jwks_uri"),
        ({"jwks_uri": None}, "entra_jwks_uri"),
    ],
)
async def test_metadata_that_leads_elsewhere_is_an_outage(
    authority: Authority, changes: dict[str, object], reason: str
) -> None:
    authority.metadata = {
        name: value.format(origin=authority.origin) if isinstance(value, str) else value
        for name, value in changes.items()
    }
    assert await failure(authority) == reason
    assert authority.asked == [METADATA]


@pytest.mark.parametrize("published", [{}, {"keys": []}, {"keys": [{"kty": "EC"}]}])
async def test_a_set_without_usable_keys_is_an_outage(
    authority: Authority, published: dict[str, object]
) -> None:
    async def empty(_: web.Request) -> web.Response:
        return web.Response(body=json.dumps(published).encode())

    authority.answers[KEYS] = empty
    source = EntraKeySource(authority.origin, TENANT)
    with pytest.raises(KeysUnavailable) as refused:
        await Keys(source, f"{authority.origin}/{TENANT}/v2.0", lambda: NOW).key("any")
    assert refused.value.reason == "jwks_without_usable_key"


@pytest.mark.parametrize("address", [METADATA, KEYS])
async def test_an_authority_that_hangs_is_given_up_in_time(
    authority: Authority, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(entra, "SECONDS_IN_ALL", 0.2)
    authority.answers[address] = hang
    began = time.monotonic()
    assert await failure(authority) == "entra_timeout"
    assert time.monotonic() - began < 2


async def test_an_authority_that_drips_is_given_up_in_time(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    monkeypatch.setattr(entra, "SECONDS_IN_ALL", 0.2)
    authority.answers[METADATA] = drip
    assert await failure(authority) == "entra_timeout"


async def test_nobody_at_the_address_is_an_outage() -> None:
    with pytest.raises(KeysUnavailable) as refused:
        await EntraKeySource("http://127.0.0.1:1", TENANT).fetch()
    assert refused.value.reason == "entra_unreachable"


def test_an_answer_is_due_before_a_gateway_gives_up() -> None:
    assert entra.SECONDS_IN_ALL <= 5
