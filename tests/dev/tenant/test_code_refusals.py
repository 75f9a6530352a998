"""A code is good once, for a minute, and for the client that asked for it and can prove it."""

import time
import uuid

import pytest

from dev.tenant.codes import Authorized, Codes, challenge_of
from dev.tenant.description import Tenant
from dev.tenant.directory import RegisteredPerson
from dev.tenant.identities import PEOPLE
from dev.tenant.refusals import Refused
from dev.tenant.scopes import Scopes
from dev.tenant.sign_ins import SignIn
from tests.dev.tenant.code_flow import REDIRECT_URI, VERIFIER, CodeFlow


@pytest.mark.parametrize(
    ("changes", "status", "error", "code"),
    [
        ({"code_verifier": f"{VERIFIER}-of-another"}, 400, "invalid_grant", 501481),
        ({"code_verifier": f"{VERIFIER}-ö"}, 400, "invalid_grant", 70000),
        ({"code_verifier": challenge_of(VERIFIER)}, 400, "invalid_grant", 501481),
        ({"code_verifier": None}, 400, "invalid_request", 900144),
        ({"redirect_uri": f"{REDIRECT_URI}/"}, 400, "invalid_client", 500112),
        ({"redirect_uri": "http://lkps.example"}, 400, "invalid_client", 500112),
        ({"redirect_uri": None}, 400, "invalid_request", 900144),
        ({"code": "no-such-code"}, 400, "invalid_grant", 70000),
        ({"code": None}, 400, "invalid_request", 900144),
        ({"client_id": str(uuid.uuid4())}, 400, "unauthorized_client", 700016),
        ({"client_id": None}, 400, "invalid_request", 900144),
        ({"client_secret": "s"}, 401, "invalid_client", 700025),
        ({"client_assertion": "a.b.c"}, 401, "invalid_client", 700025),
        ({"scope": ""}, 400, "invalid_scope", 70011),
    ],
)
async def test_a_redemption_is_refused(
    flow: CodeFlow, changes: dict[str, str | None], status: int, error: str, code: int
) -> None:
    answered, body = await flow.redeem(await flow.code(), **changes)
    assert (answered, body["error"], body["error_codes"]) == (status, error, [code])
    assert "access_token" not in body


@pytest.mark.parametrize("verifier", ["v" * 43, "v" * 128, "-._~" * 11])
async def test_a_verifier_has_43_to_128_unreserved_characters(
    flow: CodeFlow, verifier: str
) -> None:
    code = await flow.code(code_challenge=challenge_of(verifier))
    assert (await flow.redeem(code, code_verifier=verifier))[0] == 200


@pytest.mark.parametrize(
    "verifier", ["v" * 42, "v" * 129, "v" * 42 + "+", "v" * 42 + " ", "v" * 43 + "\n", "ö" * 43]
)
async def test_another_verifier_is_refused_even_if_it_matches_the_challenge(
    flow: CodeFlow, verifier: str
) -> None:
    code = await flow.code(code_challenge=challenge_of(verifier))
    status, body = await flow.redeem(code, code_verifier=verifier)
    assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [70000])
    assert "Code_Verifier" in body["error_description"]


async def test_another_client_cannot_redeem_a_code(tenant: Tenant, flow: CodeFlow) -> None:
    public = tenant.public_clients["crm-frontend"]
    confidential = tenant.identity("crm-backend").client_id
    refusals = [
        await flow.redeem(await flow.code(), client_id=client_id)
        for client_id in (public, confidential)
    ]
    assert [(status, body["error_codes"]) for status, body in refusals] == [
        (400, [70000]),
        (401, [7000218]),
    ]


async def test_a_redemption_cannot_ask_for_more(flow: CodeFlow) -> None:
    status, body = await flow.redeem(await flow.code(), scope=flow.scope("Agent.Register"))
    assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [70000])


async def test_a_code_is_for_one_use(flow: CodeFlow) -> None:
    code = await flow.code()
    assert (await flow.redeem(code))[0] == 200
    status, body = await flow.redeem(code)
    assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [54005])


async def test_a_failed_redemption_uses_the_code_up(flow: CodeFlow) -> None:
    code = await flow.code()
    await flow.redeem(code, code_verifier="a-guess")
    _, body = await flow.redeem(code)
    assert body["error_codes"] == [54005]


def test_a_code_expires_after_a_minute() -> None:
    scopes = Scopes((), frozenset(), frozenset())
    sign_in = SignIn(RegisteredPerson(PEOPLE[0], "oid"), "client", scopes)
    authorized = Authorized(sign_in, REDIRECT_URI, challenge_of(VERIFIER))
    codes, now = Codes(), time.time()
    in_time, late = codes.issue(authorized, now), codes.issue(authorized, now)
    assert codes.redeem(in_time, now + 59) == authorized
    with pytest.raises(Refused) as refused:
        codes.redeem(late, now + 60)
    assert (refused.value.error, refused.value.code) == ("invalid_grant", 70008)
