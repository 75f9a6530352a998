"""The authorization endpoint tells its client why it refuses, when it is one to be told."""

from html import unescape
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from dev.tenant.description import Tenant
from tests.dev.tenant.code_flow import REDIRECT_URI, STATE, CodeFlow
from tests.dev.tenant.elements import Elements


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": None}, 900144),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, 700016),
        ({"redirect_uri": None}, 900144),
        ({"redirect_uri": "https://localhost:8765"}, 50011),
        ({"redirect_uri": "http://lkps.example"}, 50011),
        ({"redirect_uri": "http://localhost.lkps.example"}, 50011),
        ({"redirect_uri": "http://localhost@lkps.example"}, 50011),
        ({"redirect_uri": "http://lkps.example\\@localhost"}, 50011),
        ({"redirect_uri": "http://localhost\\@lkps.example"}, 50011),
        ({"redirect_uri": "http://localhost:x"}, 50011),
        ({"redirect_uri": "http://localhost/#fragment"}, 50011),
        ({"redirect_uri": "http://localhost/\r\nLocation: http://lkps.example"}, 50011),
        ({"redirect_uri": "javascript:alert(1)"}, 50011),
    ],
)
async def test_a_client_that_is_not_one_to_be_told_is_shown_to_the_person_alone(
    flow: CodeFlow, changes: dict[str, str | None], code: int
) -> None:
    status, response, page = await flow.authorize(**changes)
    assert (status, response.content_type) == (400, "text/html")
    assert "Location" not in response.headers
    assert f"AADSTS{code}: " in page


async def test_a_confidential_client_signs_nobody_in(tenant: Tenant, flow: CodeFlow) -> None:
    confidential = tenant.identity("crm-backend").client_id
    status, _, page = await flow.authorize(client_id=confidential)
    assert status == 400
    assert "AADSTS500113: " in page


async def test_another_tenant_and_a_repeated_parameter_are_shown_to_the_person_alone(
    tenant: Tenant, http: aiohttp.ClientSession, flow: CodeFlow
) -> None:
    other = flow.endpoint.replace(tenant.tenant_id, "common")
    repeated = [*flow.query().items(), ("redirect_uri", REDIRECT_URI)]
    for url, query, code in (
        (other, [*flow.query().items()], 90002),
        (flow.endpoint, repeated, 9002313),
    ):
        async with http.get(url, params=query, allow_redirects=False) as response:
            assert response.status == 400
            assert f"AADSTS{code}: " in await response.text()


async def test_what_a_page_repeats_is_no_markup(flow: CodeFlow) -> None:
    _, _, page = await flow.authorize(redirect_uri="<script>")
    assert Elements(page).of("script") == []
    assert "'<script>'" in unescape(page)


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type", 70005),
        ({"response_type": None}, "invalid_request", 900144),
        ({"response_mode": "carrier_pigeon"}, "invalid_request", 70007),
        ({"scope": None}, "invalid_request", 900144),
        ({"scope": "openid profile"}, "invalid_scope", 70011),
        ({"scope": "Session.Start"}, "invalid_resource", 500011),
        ({"code_challenge": None}, "invalid_request", 50147),
        ({"code_challenge": "too-short"}, "invalid_request", 50147),
        ({"code_challenge_method": "plain"}, "invalid_request", 90023),
        ({"code_challenge_method": None}, "invalid_request", 90023),
        ({"prompt": "create"}, "invalid_request", 90023),
        ({"prompt": "none", "login_hint": None}, "login_required", 50058),
        ({"prompt": "none", "login_hint": "mallory@lkps.example"}, "login_required", 50058),
        ({"login_hint": "auditor-person@lkps.example"}, "access_denied", 65001),
    ],
)
async def test_another_refusal_is_told_to_the_client(
    flow: CodeFlow, changes: dict[str, str | None], error: str, code: int
) -> None:
    answered = await flow.answer(**changes)
    assert (answered["error"], answered["state"]) == (error, STATE)
    assert answered["error_description"].startswith(f"AADSTS{code}: ")
    assert "code" not in answered


async def test_a_scope_that_the_api_has_not_is_refused(flow: CodeFlow) -> None:
    answered = await flow.answer(scope=flow.scope("No.Such"))
    assert answered["error_description"].startswith("AADSTS650053: ")


async def test_a_refusal_is_posted_where_a_code_would_be(flow: CodeFlow) -> None:
    _, _, page = await flow.authorize(response_mode="form_post", code_challenge=None)
    fields = {each["name"]: each["value"] for each in Elements(page).of("input")}
    assert (fields["error"], fields["state"]) == ("invalid_request", STATE)


async def test_a_choice_of_nobody_is_refused(flow: CodeFlow, http: aiohttp.ClientSession) -> None:
    for chosen in ({"username": "mallory@lkps.example"}, {}):
        async with http.post(
            flow.endpoint, params=flow.query(), data=chosen, allow_redirects=False
        ) as response:
            answered = dict(parse_qsl(urlsplit(response.headers["Location"]).query))
        assert answered["error"] == "access_denied"
        assert answered["error_description"].startswith("AADSTS50034: ")
