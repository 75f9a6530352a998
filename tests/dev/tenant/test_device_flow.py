"""The real MSAL signs people in with a device code, and is told why when it cannot."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import msal  # type: ignore[import-untyped]
import pytest
import requests

from dev.tenant.description import Tenant
from dev.tenant.server import Options, running
from tests.dev.tenant.elements import Elements

type Flow = dict[str, Any]


class Device:
    """A public client without a browser. MSAL's own loop waits; `asks` is one turn of it."""

    def __init__(self, tenant: Tenant, session: requests.Session) -> None:
        self._client = msal.PublicClientApplication(
            tenant.public_clients["cli"],
            authority=f"{tenant.authority_https}/{tenant.tenant_id}",
            instance_discovery=False,
            http_client=session,
        )
        self._scope = f"{tenant.audience}/Session.Start"
        self.msal = self._client

    async def shows(self) -> Flow:
        flow: Flow = await asyncio.to_thread(self._client.initiate_device_flow, [self._scope])
        return flow

    async def asks(self, flow: Flow) -> dict[str, Any]:
        answer: dict[str, Any] = await asyncio.to_thread(
            self._client.acquire_token_by_device_flow, flow, exit_condition=lambda _: True
        )
        return answer

    async def refused(self, flow: Flow) -> tuple[str, int]:
        answer = await self.asks(flow)
        return answer["error"], answer["error_codes"][0]


@pytest.fixture
async def device(tenant: Tenant, trusting: requests.Session) -> Device:
    return await asyncio.to_thread(Device, tenant, trusting)


@pytest.fixture
def page(tenant: Tenant) -> str:
    return f"{tenant.authority}/{tenant.tenant_id}/oauth2/deviceauth"


async def answered(http: aiohttp.ClientSession, page: str, **form: str) -> tuple[int, str]:
    async with http.post(page, data=form) as response:
        return response.status, await response.text()


async def test_a_device_is_told_what_to_show(tenant: Tenant, device: Device) -> None:
    flow = await device.shows()
    page = f"{tenant.authority_https}/{tenant.tenant_id}/oauth2/deviceauth"
    assert (flow["interval"], flow["expires_in"], flow["verification_uri"]) == (5, 900, page)
    assert flow["message"] == (
        f"To sign in, use a web browser to open the page {page} and enter the code"
        f" {flow['user_code']} to authenticate."
    )


async def test_a_person_types_the_code_and_the_device_goes_on_without_them(
    tenant: Tenant, device: Device, http: aiohttp.ClientSession, page: str
) -> None:
    flow = await device.shows()
    assert await device.refused(flow) == ("authorization_pending", 70016)

    async with http.get(page) as response:
        assert "user_code" in [one["name"] for one in Elements(await response.text()).of("input")]
    _, choice = await answered(http, page, user_code=flow["user_code"])
    hidden = {one["name"]: one["value"] for one in Elements(choice).of("input")}
    names = [one.get("value") for one in Elements(choice).of("button")]
    assert hidden == {"user_code": flow["user_code"]}
    assert {"alice@lkps.example", "true"} <= set(names)
    status, _ = await answered(http, page, user_code=flow["user_code"], username=str(names[0]))
    flow["latest_attempt_at"] = 0
    token = await device.asks(flow)

    claims = jwt.decode(token["access_token"], options={"verify_signature": False})
    assert (status, claims["scp"]) == (200, "Session.Start")
    assert claims["oid"] == tenant.identity("alice").object_id
    (account,) = device.msal.get_accounts()
    renewed = await asyncio.to_thread(
        device.msal.acquire_token_silent,
        [f"{tenant.audience}/Session.Start"],
        account,
        force_refresh=True,
    )
    assert renewed["token_source"] == "identity_provider"


async def test_a_device_that_asks_at_once_again_is_told_to_slow_down(device: Device) -> None:
    flow = await device.shows()
    await device.asks(flow)
    with pytest.warns(UserWarning, match="too soon"):
        answer = await device.asks(flow)
    assert (answer["error"], flow["interval"]) == ("slow_down", 10)


async def test_a_person_may_decline(device: Device, http: aiohttp.ClientSession, page: str) -> None:
    flow = await device.shows()
    _, said = await answered(http, page, user_code=flow["user_code"], declined="true")
    assert "You have not signed in" in said
    assert await device.refused(flow) == ("authorization_declined", 65004)


async def test_a_code_that_nobody_typed_in_time_is_over(
    state: Path, http: aiohttp.ClientSession
) -> None:
    async with running(Options(state, device_code_lifetime=0)) as tenant:
        with requests.Session() as session:
            session.trust_env, session.verify = False, tenant.ca_file
            device = await asyncio.to_thread(Device, tenant, session)
            flow = await device.shows()
            assert await device.refused(flow) == ("expired_token", 70020)
        page = f"{tenant.authority}/{tenant.tenant_id}/oauth2/deviceauth"
        status, said = await answered(http, page, user_code=flow["user_code"])
        assert (status, "AADSTS70020" in said) == (400, True)


async def test_a_code_of_nobody_is_refused(device: Device) -> None:
    flow = {**await device.shows(), "device_code": "made-up"}
    assert await device.refused(flow) == ("bad_verification_code", 70018)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"user_code": "WRONG"}, 70018),
        ({}, 70018),
        ({"username": "mallory@lkps.example"}, 50034),
        ({"username": "auditor-person@lkps.example"}, 65001),
    ],
)
async def test_the_page_says_why_somebody_cannot_sign_in(
    device: Device, http: aiohttp.ClientSession, page: str, form: dict[str, str], code: int
) -> None:
    flow = await device.shows()
    named = {"user_code": flow["user_code"]} if "username" in form else {}
    status, said = await answered(http, page, **named, **form)
    assert (status, f"AADSTS{code}" in said) == (400, True)
    assert await device.refused(flow) == ("authorization_pending", 70016)


async def test_only_public_clients_may_show_a_code(
    tenant: Tenant, http: aiohttp.ClientSession
) -> None:
    endpoint = f"{tenant.authority}/{tenant.tenant_id}/oauth2/v2.0/devicecode"
    form = {
        "client_id": tenant.identity("client").client_id,
        "scope": f"{tenant.audience}/Session.Start",
    }
    async with http.post(endpoint, data=form) as response:
        body = await response.json()
    assert (response.status, body["error_codes"]) == (401, [7000218])
