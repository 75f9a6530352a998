"""Signing keys rotate as Entra's do, and the JWKS and metadata have Entra's shape."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from dev.tenant.description import Tenant
from dev.tenant.server import Options, running

type ClaimsOf = Callable[[str], dict[str, Any]]
type ReadKeys = Callable[[], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def jwks(tenant: Tenant, http: aiohttp.ClientSession) -> ReadKeys:
    async def read() -> list[dict[str, Any]]:
        published = f"{tenant.authority}/{tenant.tenant_id}/discovery/v2.0/keys"
        async with http.get(published) as response:
            keys: list[dict[str, Any]] = (await response.json())["keys"]
            return keys

    return read


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def test_keys_have_entras_members(tenant: Tenant, jwks: ReadKeys) -> None:
    keys = await jwks()
    assert len(keys) >= 2
    for key in keys:
        assert set(key) == {"kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"}
        assert (key["kty"], key["use"], key["kid"]) == ("RSA", "sig", key["x5t"])
        assert key["issuer"] == f"{tenant.authority}/{tenant.tenant_id}/v2.0"


async def test_rotation_signs_with_an_unseen_key_and_still_publishes_the_old_one(
    tenant: Tenant, jwks: ReadKeys, claims_of: ClaimsOf
) -> None:
    seen = {key["kid"] for key in await jwks()}
    old = await tenant.access_token("client")
    kid = await tenant.rotate_keys()
    new = await tenant.access_token("client")
    assert kid_of(new) == kid
    assert kid not in seen
    for token in (old, new):
        assert (await asyncio.to_thread(claims_of, token))["tid"] == tenant.tenant_id


async def test_a_planned_rotation_signs_with_the_key_published_ahead(
    tenant: Tenant, jwks: ReadKeys
) -> None:
    ahead = (await jwks())[1]["kid"]
    assert await tenant.rotate_keys(planned=True) == ahead
    assert kid_of(await tenant.access_token("client")) == ahead


async def test_dropped_keys_are_published_no_more(tenant: Tenant, jwks: ReadKeys) -> None:
    old = kid_of(await tenant.access_token("client"))
    kid = await tenant.rotate_keys(drop_old=True)
    kids = [key["kid"] for key in await jwks()]
    assert len(kids) == 2
    assert kids[0] == kid
    assert old not in kids


async def test_a_rotation_outlives_a_restart(state: Path) -> None:
    async with running(Options(state)) as tenant:
        kid = await tenant.rotate_keys()
    async with running(Options(state)) as tenant:
        assert kid_of(await tenant.access_token("client")) == kid


async def test_each_listeners_metadata_names_itself(
    tenant: Tenant, http: aiohttp.ClientSession
) -> None:
    for authority in (tenant.authority, tenant.authority_https):
        base = f"{authority}/{tenant.tenant_id}"
        address = f"{base}/v2.0/.well-known/openid-configuration"
        async with http.get(address, ssl=False) as response:
            metadata = await response.json()
        assert metadata["issuer"] == f"{base}/v2.0"
        assert metadata["jwks_uri"] == f"{base}/discovery/v2.0/keys"
        assert metadata["token_endpoint"] == f"{base}/oauth2/v2.0/token"


async def test_the_https_listener_has_no_development_routes(
    tenant: Tenant, http: aiohttp.ClientSession
) -> None:
    for path in ("/dev/rotate-keys", "/dev/token"):
        async with http.post(f"{tenant.authority_https}{path}", ssl=False) as response:
            assert response.status == 404
