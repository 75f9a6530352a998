"""The token endpoint refuses as Entra does: status, error, code and shape."""

import uuid
from collections.abc import Mapping

import aiohttp
import pytest

from dev.tenant.description import Tenant, TokenRefused
from tests.dev.tenant.conftest import PostForm

SHAPE = {
    *("error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id"),
}
STRANGER = str(uuid.uuid4())


@pytest.mark.parametrize(
    ("name", "changes", "status", "error", "code"),
    [
        ("client", {"grant_type": None}, 400, "invalid_request", 900144),
        ("client", {"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ("client", {"client_id": None}, 400, "invalid_request", 900144),
        ("client", {"client_id": STRANGER}, 400, "unauthorized_client", 700016),
        ("client", {"client_secret": None}, 401, "invalid_client", 7000216),
        ("client", {"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ("client", {"client_secret": "wröng"}, 401, "invalid_client", 7000215),
        ("client", {"scope": None}, 400, "invalid_request", 900144),
        ("client", {"scope": f"{STRANGER}/.default"}, 400, "invalid_resource", 500011),
        ("client", {"scope": ".default"}, 400, "invalid_scope", 1002012),
        ("client", {"scope": "a/.default b/.default"}, 400, "invalid_scope", 70011),
        ("alice", {"username": "mallory@lkps.example"}, 400, "invalid_grant", 50034),
        ("alice", {"username": None}, 400, "invalid_request", 900144),
        ("alice", {"client_id": STRANGER}, 400, "unauthorized_client", 700016),
        ("alice", {"scope": "openid profile"}, 400, "invalid_scope", 70011),
        ("alice", {"scope": "Session.Start"}, 400, "invalid_resource", 500011),
    ],
)
async def test_a_request_is_refused(
    post_form: PostForm,
    name: str,
    changes: Mapping[str, str | None],
    status: int,
    error: str,
    code: int,
) -> None:
    answered, body = await post_form(name, **changes)
    assert (answered, body["error"], body["error_codes"]) == (status, error, [code])
    assert set(body) == SHAPE
    assert body["error_description"].startswith(f"AADSTS{code}: ")


@pytest.mark.parametrize(
    ("name", "scope", "error", "code"),
    [
        ("client", "Session.Start", "invalid_scope", 1002012),
        ("alice", "Platform.Admin", "invalid_grant", 65001),
        ("alice", "No.Such", "invalid_client", 650053),
    ],
)
async def test_a_scope_of_the_api_that_is_not_the_callers_is_refused(
    tenant: Tenant, post_form: PostForm, name: str, scope: str, error: str, code: int
) -> None:
    _, body = await post_form(name, scope=f"api://{tenant.audience}/{scope}")
    assert (body["error"], body["error_codes"]) == (error, [code])


@pytest.mark.parametrize("resource", ["{}", "api://{}"])
async def test_the_audience_may_be_named_by_its_id_or_its_uri(
    tenant: Tenant, post_form: PostForm, resource: str
) -> None:
    status, _ = await post_form("client", scope=f"{resource.format(tenant.audience)}/.default")
    assert status == 200


async def test_the_public_client_cannot_have_an_application_token(
    tenant: Tenant, post_form: PostForm
) -> None:
    public = tenant.identity("alice").client_id
    status, body = await post_form("client", client_id=public)
    assert (status, body["error_codes"]) == (401, [700025])


async def test_nobody_signs_in_through_a_confidential_client(
    tenant: Tenant, post_form: PostForm
) -> None:
    confidential = tenant.identity("client").client_id
    status, body = await post_form("alice", client_id=confidential)
    assert (status, body["error_codes"]) == (401, [7000218])


async def test_basic_credentials_are_accepted_and_verified(
    tenant: Tenant, post_form: PostForm
) -> None:
    client = tenant.identity("client")
    right = aiohttp.encode_basic_auth(client.client_id, client.client_secret or "")
    wrong = aiohttp.encode_basic_auth(client.client_id, "wrong")
    left_out = {"client_id": None, "client_secret": None}
    assert (await post_form("client", headers={"Authorization": right}, **left_out))[0] == 200
    status, body = await post_form("client", headers={"Authorization": wrong}, **left_out)
    assert (status, body["error_codes"]) == (401, [7000215])


async def test_a_repeated_parameter_is_refused(tenant: Tenant, http: aiohttp.ClientSession) -> None:
    client = tenant.identity("client")
    form = [*client.form(client.scope).items(), ("scope", client.scope)]
    async with http.post(client.token_endpoint, data=aiohttp.FormData(form)) as response:
        assert response.status == 400
        assert (await response.json())["error"] == "invalid_request"


async def test_the_callers_correlation_id_comes_back(
    tenant: Tenant, http: aiohttp.ClientSession
) -> None:
    sent = {"client-request-id": STRANGER}
    async with http.post(tenant.identity("client").token_endpoint, headers=sent) as response:
        assert (await response.json())["correlation_id"] == STRANGER


@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"])
async def test_another_tenant_is_unknown(
    tenant: Tenant, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(f"{tenant.authority}/common/{path}") as response:
        assert response.status == 400
        assert (await response.json())["error_codes"] == [90002]


async def test_a_refusal_is_raised_with_entras_description(tenant: Tenant) -> None:
    with pytest.raises(TokenRefused, match="AADSTS65001"):
        await tenant.access_token("alice", ["Audit.Read"])
