"""The function app's managed identity, against an identity endpoint over real HTTP."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lkps_core.adapters.tables import credential
from lkps_core.adapters.tables.authorization import by_identity
from lkps_core.adapters.tables.credential import ManagedIdentityCredential
from lkps_core.errors import StorageUnavailable

SCOPE = "https://storage.azure.com/.default"
CLIENT_ID = "c0ffee00-1111-4222-8333-444455556666"
TOKEN = "token-of-the-managed-identity"
HEADER = "identity-header-of-the-app"


class IdentityEndpoint:
    """App Service's endpoint (its REST reference, "Managed identities"), until told otherwise."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.answer: Callable[[], Awaitable[web.StreamResponse]] = self.issue
        self.valid_for = 24 * 3600

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return await self.answer()

    async def issue(self) -> web.Response:
        return web.json_response(
            {
                "access_token": f"{TOKEN}-{len(self.asked)}",
                "expires_on": str(int(time.time()) + self.valid_for),
                "resource": "https://storage.azure.com",
                "token_type": "Bearer",
                "client_id": CLIENT_ID,
            }
        )


@pytest.fixture
async def endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[IdentityEndpoint]:
    endpoint = IdentityEndpoint()
    app = web.Application()
    app.router.add_get("/msi/token", endpoint.handle)
    async with TestServer(app) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", str(server.make_url("/msi/token")))
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setattr(credential, "_PATIENCE_SECONDS", 0.2)
        yield endpoint


async def refusal(identity: ManagedIdentityCredential) -> str:
    with pytest.raises(StorageUnavailable) as refused:
        await identity.get_token(SCOPE)
    return refused.value.reason


async def test_the_token_is_the_system_assigned_identitys(endpoint: IdentityEndpoint) -> None:
    async with ManagedIdentityCredential() as identity:
        token = await identity.get_token(SCOPE)
    assert token.token == f"{TOKEN}-1"
    assert abs(token.expires_on - time.time() - endpoint.valid_for) < 5
    (request,) = endpoint.asked
    assert request.query["resource"] == "https://storage.azure.com"
    assert "client_id" not in request.query
    assert request.headers["X-IDENTITY-HEADER"] == HEADER


async def test_a_user_assigned_identity_is_asked_for_by_its_client_id(
    endpoint: IdentityEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)
    async with ManagedIdentityCredential() as identity:
        await identity.get_token(SCOPE)
    assert endpoint.asked[0].query["client_id"] == CLIENT_ID


async def test_a_token_is_asked_for_once_while_it_is_good(endpoint: IdentityEndpoint) -> None:
    async with ManagedIdentityCredential() as identity:
        tokens = [await identity.get_token(SCOPE) for _ in range(3)]
    assert {token.token for token in tokens} == {f"{TOKEN}-1"}
    assert len(endpoint.asked) == 1


async def test_a_token_that_is_about_to_end_is_asked_for_anew(endpoint: IdentityEndpoint) -> None:
    endpoint.valid_for = 60
    async with ManagedIdentityCredential() as identity:
        first, second = await identity.get_token(SCOPE), await identity.get_token(SCOPE)
    assert (first.token, second.token) == (f"{TOKEN}-1", f"{TOKEN}-2")


async def answer_500() -> web.Response:
    return web.json_response({"statusCode": 500, "message": TOKEN}, status=500)


async def answer_html() -> web.Response:
    return web.Response(text=f"<html>{TOKEN}</html>", content_type="text/html")


async def answer_list() -> web.Response:
    return web.json_response([TOKEN])


async def answer_empty() -> web.Response:
    return web.Response()


async def answer_odd_expiry() -> web.Response:
    return web.json_response({"access_token": TOKEN, "expires_on": "tomorrow"})


async def hang() -> web.Response:
    await asyncio.sleep(1)
    return web.Response()


@pytest.mark.parametrize(
    "answer", [answer_500, answer_html, answer_list, answer_empty, answer_odd_expiry, hang]
)
async def test_an_endpoint_that_gives_no_token_is_unavailable_and_then_again_there(
    endpoint: IdentityEndpoint, answer: Callable[[], Awaitable[web.StreamResponse]]
) -> None:
    async with ManagedIdentityCredential() as identity:
        endpoint.answer = answer
        began = time.monotonic()
        assert TOKEN not in await refusal(identity)
        assert time.monotonic() - began < 0.9
        endpoint.answer = endpoint.issue
        assert (await identity.get_token(SCOPE)).token == f"{TOKEN}-2"


async def test_an_endpoint_that_is_not_there_is_unavailable(
    endpoint: IdentityEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token")
    async with ManagedIdentityCredential() as identity:
        assert await refusal(identity) == "the managed identity did not answer"
    assert endpoint.asked == []


async def test_neither_token_nor_header_is_logged(
    endpoint: IdentityEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ManagedIdentityCredential() as identity:
        await identity.get_token(SCOPE)
        await identity.get_token(SCOPE)
    assert endpoint.asked
    told = json.dumps([str(record.__dict__) + record.getMessage() for record in caplog.records])
    assert caplog.records
    assert TOKEN not in told
    assert HEADER not in told


async def test_the_tables_are_told_the_token_and_ask_for_a_new_one_in_good_time(
    endpoint: IdentityEndpoint,
) -> None:
    endpoint.valid_for = 10
    async with ManagedIdentityCredential() as identity:
        authorize = by_identity(identity)
        first = await authorize("https://account.table.core.windows.net/audit")
        endpoint.valid_for = 3600
        second = await authorize("https://account.table.core.windows.net/audit")
        third = await authorize("https://account.table.core.windows.net/$batch")
    assert first["Authorization"] == f"Bearer {TOKEN}-1"
    assert second["Authorization"] == third["Authorization"] == f"Bearer {TOKEN}-2"
    assert len(endpoint.asked) == 2
    assert second["x-ms-date"].endswith("GMT")
