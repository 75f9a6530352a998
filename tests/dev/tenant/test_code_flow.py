"""A client redeems a code for the tokens that it asked for."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import jwt

from dev.tenant.description import Tenant
from tests.dev.tenant.code_flow import OPENID, CodeFlow, unverified

type ClaimsOf = Callable[[str], dict[str, Any]]


async def test_a_code_gets_an_access_token_of_the_person_for_the_client(
    tenant: Tenant, flow: CodeFlow, claims_of: ClaimsOf
) -> None:
    answer = await flow.signed_in(login_hint="carol@lkps.example")
    claims = await asyncio.to_thread(claims_of, answer["access_token"])
    assert claims["oid"] == tenant.identity("carol").object_id
    assert (claims["azp"], claims["azpacr"]) == (tenant.public_clients["cli"], "0")
    assert claims["scp"] == "Session.Start Agent.Manage"


async def test_the_answer_has_what_was_asked_for_and_no_more(flow: CodeFlow) -> None:
    bare = {"token_type", "expires_in", "ext_expires_in", "access_token", "scope"}
    start = flow.scope("Session.Start")
    assert set(await flow.signed_in(scope=start)) == bare
    assert set(await flow.signed_in(scope=f"openid {start}")) == bare | {"id_token"}
    offline = await flow.signed_in(scope=f"offline_access {start}")
    assert set(offline) == bare | {"refresh_token"}


async def test_the_answers_scope_names_what_default_stands_for(flow: CodeFlow) -> None:
    answer = await flow.signed_in(scope=f"{OPENID} {flow.scope('.default')}")
    every = flow.scope(".default", "Session.Start", "Agent.Register", "Agent.Manage")
    assert answer["scope"] == f"openid profile {every}"


async def test_the_id_token_is_for_the_client_and_repeats_its_nonce(
    tenant: Tenant, flow: CodeFlow
) -> None:
    answer = await flow.signed_in(nonce="n-0S6")
    published = f"{tenant.authority}/{tenant.tenant_id}/discovery/v2.0/keys"
    keys = jwt.PyJWKClient(published)
    key = await asyncio.to_thread(keys.get_signing_key_from_jwt, answer["id_token"])
    claims = jwt.decode(
        answer["id_token"],
        key,
        ["RS256"],
        audience=tenant.public_clients["cli"],
        issuer=f"{tenant.authority}/{tenant.tenant_id}/v2.0",
    )
    assert set(claims) == {
        *("aud", "iss", "iat", "nbf", "exp", "aio", "rh", "sub", "tid", "uti", "ver"),
        *("name", "nonce", "oid", "preferred_username"),
    }
    assert (claims["nonce"], claims["name"]) == ("n-0S6", "Alice Example")
    assert claims["preferred_username"] == "alice@lkps.example"
    assert claims["oid"] == tenant.identity("alice").object_id
    assert claims["sub"] != unverified(answer["access_token"])["sub"]


async def test_a_client_that_asked_for_no_profile_is_told_no_name(flow: CodeFlow) -> None:
    answer = await flow.signed_in(scope=f"openid {flow.scope('Session.Start')}")
    assert not {"name", "oid", "preferred_username", "nonce"} & set(unverified(answer["id_token"]))


async def test_client_info_names_user_and_tenant_to_who_asks(
    tenant: Tenant, flow: CodeFlow
) -> None:
    _, answer = await flow.redeem(await flow.code(), client_info="1")
    padded = answer["client_info"] + "=" * (-len(answer["client_info"]) % 4)
    uid = tenant.identity("alice").object_id
    decoded = json.loads(base64.urlsafe_b64decode(padded))
    assert decoded == {"uid": uid, "utid": tenant.tenant_id}


async def test_a_redemption_may_ask_for_less(flow: CodeFlow) -> None:
    _, answer = await flow.redeem(await flow.code(), scope=flow.scope("Session.Start"))
    assert unverified(answer["access_token"])["scp"] == "Session.Start"
    assert "refresh_token" not in answer


async def test_people_sign_in_through_either_client(tenant: Tenant, flow: CodeFlow) -> None:
    client_id = tenant.public_clients["crm-frontend"]
    code = await flow.code(client_id=client_id)
    _, answer = await flow.redeem(code, client_id=client_id)
    assert unverified(answer["access_token"])["azp"] == client_id
    assert unverified(answer["id_token"])["aud"] == client_id
    status, _ = await flow.refresh(answer["refresh_token"], client_id=client_id)
    assert status == 200
