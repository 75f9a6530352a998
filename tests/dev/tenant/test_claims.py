"""Tokens have the shape of Entra's v2.0 access tokens, claim for claim."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from dev.tenant.description import Tenant
from dev.tenant.server import Options, running
from tests.dev.tenant.conftest import PostForm

type ClaimsOf = Callable[[str], dict[str, Any]]

APPLICATION = {
    *("aud", "iss", "iat", "nbf", "exp", "aio", "azp", "azpacr", "idtyp", "oid", "rh", "roles"),
    *("sub", "tid", "uti", "ver"),
}
PERSON = APPLICATION - {"roles"} | {"name", "preferred_username", "scp"}


async def issued(tenant: Tenant, claims_of: ClaimsOf, name: str) -> dict[str, Any]:
    return await asyncio.to_thread(claims_of, await tenant.access_token(name))


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("client", APPLICATION),
        ("nobody", APPLICATION - {"roles"}),
        ("bob", PERSON),
        ("alice", PERSON | {"groups"}),
        ("otto", PERSON | {"_claim_names", "_claim_sources"}),
        ("admin-person", PERSON | {"roles"}),
    ],
)
async def test_a_token_has_exactly_entras_claims(
    tenant: Tenant, claims_of: ClaimsOf, name: str, members: set[str]
) -> None:
    assert set(await issued(tenant, claims_of, name)) == members


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("agent", "LKPS.Agent"),
        ("other-agent", "LKPS.Agent"),
        ("client", "LKPS.Client"),
        ("other-client", "LKPS.Client"),
        ("crm-backend", "LKPS.Client"),
        ("manager", "LKPS.Manage"),
        ("admin", "LKPS.Admin"),
        ("auditor", "LKPS.Auditor"),
    ],
)
async def test_an_application_is_its_own_subject_and_has_its_role(
    tenant: Tenant, claims_of: ClaimsOf, name: str, role: str
) -> None:
    claims = await issued(tenant, claims_of, name)
    identity = tenant.identity(name)
    assert claims["sub"] == claims["oid"] == identity.object_id
    assert claims["azp"] == identity.client_id
    assert (claims["idtyp"], claims["azpacr"], claims["roles"]) == ("app", "1", [role])
    assert (claims["tid"], claims["ver"]) == (tenant.tenant_id, "2.0")


async def test_the_header_names_type_algorithm_and_key_alone(tenant: Tenant) -> None:
    header = jwt.get_unverified_header(await tenant.access_token("client"))
    assert set(header) == {"typ", "alg", "kid"}
    assert (header["typ"], header["alg"]) == ("JWT", "RS256")


async def test_every_token_has_an_id_of_its_own(tenant: Tenant, claims_of: ClaimsOf) -> None:
    first, second = [await issued(tenant, claims_of, "client") for _ in range(2)]
    assert first["uti"] != second["uti"]


async def test_a_token_lives_for_60_to_90_minutes(tenant: Tenant, claims_of: ClaimsOf) -> None:
    remaining = (await issued(tenant, claims_of, "client"))["exp"] - time.time()
    assert 3590 < remaining <= 5400


async def test_the_answer_is_entras(post_form: PostForm, claims_of: ClaimsOf) -> None:
    status, answer = await post_form("client")
    assert status == 200
    assert set(answer) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert answer["token_type"] == "Bearer"
    claims = await asyncio.to_thread(claims_of, answer["access_token"])
    assert abs(time.time() + answer["expires_in"] - claims["exp"]) < 10


async def test_the_lifetime_can_be_set(state: Path) -> None:
    async with running(Options(state, token_lifetime=90)) as tenant:
        token = await tenant.access_token("client")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert 80 < claims["exp"] - time.time() <= 90


async def test_a_crafted_token_is_changed_as_asked_and_well_signed(
    tenant: Tenant, claims_of: ClaimsOf
) -> None:
    token = await tenant.crafted_token(
        "client",
        claims={"ver": "1.0", "roles": ["LKPS.Admin"]},
        without=["idtyp"],
        header={"nonce": "n", "typ": "at+jwt"},
        without_header=["typ"],
    )
    header = jwt.get_unverified_header(token)
    assert header["nonce"] == "n"
    assert "typ" not in header
    claims = await asyncio.to_thread(claims_of, token)
    assert (claims["ver"], claims["roles"]) == ("1.0", ["LKPS.Admin"])
    assert set(claims) == APPLICATION - {"idtyp"}
