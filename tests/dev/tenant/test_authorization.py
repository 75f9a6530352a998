"""The authorization endpoint asks who somebody is, and answers their client with a code."""

from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from dev.tenant.description import Tenant
from tests.dev.tenant.code_flow import REDIRECT_URI, STATE, CodeFlow
from tests.dev.tenant.elements import Elements


async def test_the_page_lists_the_people_and_says_what_it_is(
    tenant: Tenant, flow: CodeFlow
) -> None:
    status, response, page = await flow.authorize(login_hint=None)
    assert (status, response.content_type) == (200, "text/html")
    choices = [button["value"] for button in Elements(page).of("button")]
    assert choices == [each.username for each in tenant.identities if each.kind == "user"]
    assert Elements(page).of("html") == [{"lang": "en"}]
    assert "development stand-in" in page
    assert "no password" in page
    assert "<strong>cli</strong>" in page


async def test_a_choice_redirects_with_a_code_and_the_state(
    flow: CodeFlow, http: aiohttp.ClientSession
) -> None:
    query = flow.query(login_hint=None)
    chosen = {"username": "carol@lkps.example"}
    async with http.post(
        flow.endpoint, params=query, data=chosen, allow_redirects=False
    ) as response:
        assert response.status == 302
        location, _, answer = response.headers["Location"].partition("?")
    assert location == REDIRECT_URI
    answered = dict(parse_qsl(answer))
    assert answered["state"] == STATE
    assert set(answered) == {"code", "state"}
    status, _ = await flow.redeem(answered["code"])
    assert status == 200


async def test_a_hint_that_names_somebody_asks_nobody(flow: CodeFlow) -> None:
    status, response, _ = await flow.authorize(login_hint="bob@lkps.example")
    assert status == 302
    assert response.headers["Location"].startswith(f"{REDIRECT_URI}?code=")


@pytest.mark.parametrize(
    "changes",
    [
        {"login_hint": "mallory@lkps.example"},
        {"prompt": "select_account"},
        {"prompt": "login"},
    ],
)
async def test_somebody_must_choose(flow: CodeFlow, changes: dict[str, str]) -> None:
    status, _, page = await flow.authorize(**changes)
    assert status == 200
    assert "Choose an account" in page


@pytest.mark.parametrize("prompt", ["none", "consent"])
async def test_other_prompts_leave_a_hint_enough(flow: CodeFlow, prompt: str) -> None:
    assert set(await flow.answer(prompt=prompt)) == {"code", "state"}


async def test_a_state_that_was_not_sent_does_not_come_back(flow: CodeFlow) -> None:
    assert set(await flow.answer(state=None)) == {"code"}


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://localhost",
        "http://localhost:1",
        "http://localhost:65535/",
        "http://127.0.0.1:8765",
        "http://127.0.0.1/deep/er?kept=%2F",
    ],
)
async def test_a_client_may_listen_on_loopback_anywhere(flow: CodeFlow, redirect_uri: str) -> None:
    _, response, _ = await flow.authorize(redirect_uri=redirect_uri)
    joint = "&" if "?" in redirect_uri else "?"
    assert response.headers["Location"].startswith(f"{redirect_uri}{joint}code=")


async def test_a_code_can_come_in_the_fragment_which_no_server_sees(flow: CodeFlow) -> None:
    _, response, _ = await flow.authorize(response_mode="fragment")
    location = urlsplit(response.headers["Location"])
    assert location.query == ""
    assert set(dict(parse_qsl(location.fragment))) == {"code", "state"}


async def test_a_code_can_be_posted_by_a_form(flow: CodeFlow) -> None:
    status, response, page = await flow.authorize(response_mode="form_post", state='"><script>')
    assert status == 200
    assert Elements(page).of("form") == [{"method": "post", "action": REDIRECT_URI}]
    fields = {each["name"]: each["value"] for each in Elements(page).of("input")}
    assert fields["state"] == '"><script>'
    assert (await flow.redeem(str(fields["code"])))[0] == 200
    assert "script-src 'sha256-" in response.headers["Content-Security-Policy"]


async def test_nothing_of_a_sign_in_may_be_kept_framed_or_told_to_the_next_page(
    flow: CodeFlow,
) -> None:
    for changes in ({"login_hint": None}, {}, {"response_mode": "form_post"}):
        _, response, _ = await flow.authorize(**changes)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


async def test_both_listeners_have_the_endpoint_that_their_metadata_names(
    tenant: Tenant, http: aiohttp.ClientSession, flow: CodeFlow
) -> None:
    for authority in (tenant.authority, tenant.authority_https):
        address = f"{authority}/{tenant.tenant_id}/v2.0/.well-known/openid-configuration"
        async with http.get(address, ssl=False) as response:
            metadata = await response.json()
        async with http.get(
            metadata["authorization_endpoint"], params=flow.query(login_hint=None), ssl=False
        ) as response:
            assert response.status == 200
        assert metadata["authorization_endpoint"].startswith(authority)
        assert metadata["response_modes_supported"] == ["query", "fragment", "form_post"]
