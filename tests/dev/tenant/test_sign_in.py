"""The real MSAL signs people in through a browser, and goes on without one."""

import asyncio
import webbrowser
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import msal  # type: ignore[import-untyped]
import pytest
import requests

from dev.tenant.description import Tenant
from tests.dev.tenant.code_flow import CodeFlow
from tests.dev.tenant.visiting import Visiting


@pytest.fixture
def browser(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visiting]:
    """The browser of this process, as long as a test runs."""
    monkeypatch.setenv("BROWSER", "visiting")  # MSAL would rather have Edge where there is one
    monkeypatch.setattr(webbrowser, "_tryorder", [])
    with requests.Session() as session, ThreadPoolExecutor() as threads:
        session.trust_env = False
        session.verify = tenant.ca_file
        visiting = Visiting(session, threads)
        webbrowser.register("visiting", None, visiting, preferred=True)
        yield visiting
        for each in visiting.visits:
            assert each.result().ok


async def application(
    tenant: Tenant, session: requests.Session, name: str = "cli"
) -> msal.PublicClientApplication:
    return await asyncio.to_thread(  # it reads the tenant's metadata
        msal.PublicClientApplication,
        tenant.public_clients[name],
        authority=f"{tenant.authority_https}/{tenant.tenant_id}",
        instance_discovery=False,
        http_client=session,
    )


def scopes(tenant: Tenant, *names: str) -> list[str]:
    return [f"api://{tenant.audience}/{name}" for name in names]


async def sign_in(
    client: msal.PublicClientApplication, asked: list[str], username: str
) -> dict[str, Any]:
    def blocking() -> dict[str, Any]:
        answer: dict[str, Any] = client.acquire_token_interactive(
            asked, login_hint=username, timeout=30
        )
        return answer

    return await asyncio.to_thread(blocking)


def claims_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    return dict(jwt.decode(answer["access_token"], options={"verify_signature": False}))


@pytest.mark.usefixtures("browser")
async def test_msal_signs_a_person_in_and_renews_the_token_from_its_cache(
    tenant: Tenant, trusting: requests.Session
) -> None:
    client, asked = await application(tenant, trusting), scopes(tenant, "Session.Start")
    answer = await sign_in(client, asked, "alice@lkps.example")
    assert claims_of(answer)["oid"] == tenant.identity("alice").object_id
    assert claims_of(answer)["scp"] == "Session.Start"

    [account] = client.get_accounts()
    assert account["username"] == "alice@lkps.example"
    assert account["local_account_id"] == tenant.identity("alice").object_id

    cached = client.acquire_token_silent(asked, account)
    assert (cached["token_source"], cached["access_token"]) == ("cache", answer["access_token"])
    seen = {answer["access_token"]}
    for _ in range(2):
        renewed = await asyncio.to_thread(
            client.acquire_token_silent, asked, account, force_refresh=True
        )
        assert renewed["token_source"] == "identity_provider"
        assert claims_of(renewed)["azp"] == tenant.public_clients["cli"]
        seen.add(renewed["access_token"])
    assert len(seen) == 3


@pytest.mark.usefixtures("browser")
async def test_msal_finds_a_token_for_default_in_its_cache_and_gets_others_silently(
    tenant: Tenant, trusting: requests.Session
) -> None:
    client, default = await application(tenant, trusting), scopes(tenant, ".default")
    await sign_in(client, default, "alice@lkps.example")
    [account] = client.get_accounts()
    assert client.acquire_token_silent(default, account)["token_source"] == "cache"
    other = [f"{tenant.audience}/Agent.Manage"]
    answer = await asyncio.to_thread(client.acquire_token_silent, other, account)
    assert claims_of(answer)["scp"] == "Agent.Manage"


@pytest.mark.usefixtures("browser")
async def test_msal_signs_a_person_in_through_the_other_client(
    tenant: Tenant, trusting: requests.Session
) -> None:
    client = await application(tenant, trusting, "crm-frontend")
    answer = await sign_in(client, scopes(tenant, ".default"), "carol@lkps.example")
    assert claims_of(answer)["azp"] == tenant.public_clients["crm-frontend"]
    assert claims_of(answer)["groups"] == [tenant.groups["support"]]


@pytest.mark.usefixtures("browser")
async def test_msal_is_told_why_a_person_cannot_sign_in(
    tenant: Tenant, trusting: requests.Session
) -> None:
    client = await application(tenant, trusting)
    answer = await sign_in(client, scopes(tenant, "Audit.Read"), "alice@lkps.example")
    assert answer["error"] == "access_denied"
    assert answer["error_description"].startswith("AADSTS65001: ")


async def test_msal_gets_nothing_silently_once_the_tenant_forgot_the_refresh_token(
    tenant: Tenant, trusting: requests.Session, flow: CodeFlow, browser: Visiting
) -> None:
    client, asked = await application(tenant, trusting), scopes(tenant, "Session.Start")
    await sign_in(client, asked, "alice@lkps.example")
    assert len(browser.visits) == 1
    [kept] = client.token_cache.search("RefreshToken")
    await flow.refresh(kept["secret"])
    [account] = client.get_accounts()
    refused = await asyncio.to_thread(
        client.acquire_token_silent_with_error, asked, account, force_refresh=True
    )
    assert (refused["error"], refused["error_codes"]) == ("invalid_grant", [70000])
