"""A refresh token gets new tokens for the same person and client, and its successor."""

import pytest

from dev.tenant.description import Tenant
from tests.dev.tenant.code_flow import CodeFlow, unverified


async def test_a_refresh_token_gets_new_tokens_and_its_successor(
    tenant: Tenant, flow: CodeFlow
) -> None:
    first = await flow.signed_in(nonce="once")
    status, second = await flow.refresh(first["refresh_token"], client_info="1")
    assert status == 200
    assert set(second) == set(first) | {"client_info"}
    claims = unverified(second["access_token"])
    assert claims["oid"] == tenant.identity("alice").object_id
    assert claims["scp"] == "Session.Start Agent.Manage"
    assert claims["uti"] != unverified(first["access_token"])["uti"]
    assert "nonce" not in unverified(second["id_token"])
    status, _ = await flow.refresh(second["refresh_token"])
    assert status == 200


async def test_a_refresh_may_ask_for_others_of_the_persons_scopes(flow: CodeFlow) -> None:
    first = await flow.signed_in()
    _, answer = await flow.refresh(first["refresh_token"], scope=flow.scope("Agent.Register"))
    assert unverified(answer["access_token"])["scp"] == "Agent.Register"
    _, again = await flow.refresh(answer["refresh_token"])
    assert unverified(again["access_token"])["scp"] == "Session.Start Agent.Manage"


async def test_a_used_refresh_token_is_refused(flow: CodeFlow) -> None:
    first = await flow.signed_in()
    await flow.refresh(first["refresh_token"])
    status, body = await flow.refresh(first["refresh_token"])
    assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [70000])


async def test_a_refused_refresh_leaves_its_token_good(flow: CodeFlow) -> None:
    token = (await flow.signed_in())["refresh_token"]
    status, body = await flow.refresh(token, scope=flow.scope("Audit.Read"))
    assert (status, body["error_codes"]) == (400, [65001])
    assert (await flow.refresh(token))[0] == 200


async def test_a_refresh_is_refused(tenant: Tenant, flow: CodeFlow) -> None:
    token = (await flow.signed_in())["refresh_token"]
    other = tenant.public_clients["crm-frontend"]
    for presented, client_id in (("unknown", tenant.public_clients["cli"]), (token, other)):
        status, body = await flow.refresh(presented, client_id=client_id)
        assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [70000])


@pytest.mark.parametrize("credential", ["client_secret", "client_assertion"])
async def test_a_public_client_that_presents_a_credential_is_refused(
    flow: CodeFlow, credential: str
) -> None:
    token = (await flow.signed_in())["refresh_token"]
    status, body = await flow.refresh(token, **{credential: "anything"})
    assert (status, body["error"], body["error_codes"]) == (401, "invalid_client", [700025])
    assert (await flow.refresh(token))[0] == 200
