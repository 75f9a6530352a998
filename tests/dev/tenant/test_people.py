"""People sign in through public clients, and their tokens name scopes, roles and groups."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dev.tenant.description import Tenant

type ClaimsOf = Callable[[str], dict[str, Any]]


async def issued(tenant: Tenant, claims_of: ClaimsOf, name: str) -> dict[str, Any]:
    return await asyncio.to_thread(claims_of, await tenant.access_token(name))


@pytest.mark.parametrize(
    ("name", "scp", "roles"),
    [
        ("alice", "Session.Start Agent.Register Agent.Manage", None),
        ("bob", "Session.Start Agent.Register Agent.Manage", None),
        ("carol", "Session.Start Agent.Register Agent.Manage", None),
        ("admin-person", "Platform.Admin Agent.Manage", ["LKPS.Admin"]),
        ("auditor-person", "Audit.Read", ["LKPS.Auditor"]),
    ],
)
async def test_a_person_has_scopes_through_a_public_client(
    tenant: Tenant, claims_of: ClaimsOf, name: str, scp: str, roles: list[str] | None
) -> None:
    claims = await issued(tenant, claims_of, name)
    identity = tenant.identity(name)
    assert (claims["idtyp"], claims["azpacr"]) == ("user", "0")
    assert (claims["scp"], claims.get("roles")) == (scp, roles)
    assert (claims["azp"], claims["oid"]) == (identity.client_id, identity.object_id)
    assert claims["sub"] != claims["oid"]


async def test_a_person_may_ask_for_some_of_their_scopes(
    tenant: Tenant, claims_of: ClaimsOf
) -> None:
    token = await tenant.access_token("alice", ["Agent.Manage", "Session.Start"])
    claims = await asyncio.to_thread(claims_of, token)
    assert claims["scp"] == "Session.Start Agent.Manage"


@pytest.mark.parametrize("client", ["cli", "crm-frontend"])
async def test_a_person_signs_in_through_either_public_client(
    tenant: Tenant, claims_of: ClaimsOf, client: str
) -> None:
    token = await tenant.access_token("alice", through=client)
    claims = await asyncio.to_thread(claims_of, token)
    assert claims["azp"] == tenant.public_clients[client]
    assert claims["oid"] == tenant.identity("alice").object_id


def test_a_person_is_described_with_the_client_cli(tenant: Tenant) -> None:
    assert set(tenant.public_clients) == {"cli", "crm-frontend"}
    people = [each for each in tenant.identities if each.kind == "user"]
    assert {each.client_id for each in people} == {tenant.public_clients["cli"]}


@pytest.mark.parametrize(("name", "group"), [("alice", "sales-eu"), ("carol", "support")])
async def test_a_persons_groups_are_object_ids(
    tenant: Tenant, claims_of: ClaimsOf, name: str, group: str
) -> None:
    claims = await issued(tenant, claims_of, name)
    assert claims["groups"] == [tenant.groups[group]]


async def test_too_many_groups_are_to_be_looked_up_elsewhere(
    tenant: Tenant, claims_of: ClaimsOf
) -> None:
    claims = await issued(tenant, claims_of, "otto")
    oid = tenant.identity("otto").object_id
    assert claims["_claim_names"] == {"groups": "src1"}
    assert claims["_claim_sources"] == {
        "src1": {"endpoint": f"https://graph.microsoft.com/v1.0/users/{oid}/getMemberObjects"}
    }
