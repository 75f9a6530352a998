"""A running stand-in tenant, and the ways in which tests speak to it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
import requests

from dev.tenant.description import Tenant
from dev.tenant.server import Options, running
from tests.dev.tenant.code_flow import CodeFlow

type Answer = tuple[int, dict[str, Any]]
type PostForm = Callable[..., Awaitable[Answer]]


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: RSA keys are slow to make."""
    return tmp_path_factory.mktemp("tenant")


@pytest.fixture
async def tenant(state: Path) -> AsyncIterator[Tenant]:
    async with running(Options(state)) as tenant:
        yield tenant


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def post_form(tenant: Tenant, http: aiohttp.ClientSession) -> PostForm:
    """Sends an identity's token request with parameters replaced; None leaves one out."""

    async def post_form(
        name: str, headers: Mapping[str, str] | None = None, **changes: str | None
    ) -> Answer:
        identity = tenant.identity(name)
        form = identity.form(identity.scope) | changes
        sent = {key: value for key, value in form.items() if value is not None}
        async with http.post(identity.token_endpoint, data=sent, headers=headers) as response:
            return response.status, await response.json()

    return post_form


@pytest.fixture
def flow(tenant: Tenant, http: aiohttp.ClientSession) -> CodeFlow:
    return CodeFlow(tenant, http)


@pytest.fixture
def claims_of(tenant: Tenant) -> Callable[[str], dict[str, Any]]:
    """The claims of a token, verified against the JWKS as it is now."""

    def claims_of(token: str) -> dict[str, Any]:
        published = f"{tenant.authority}/{tenant.tenant_id}/discovery/v2.0/keys"
        key = jwt.PyJWKClient(published, cache_keys=False).get_signing_key_from_jwt(token)
        issuer = f"{tenant.authority}/{tenant.tenant_id}/v2.0"
        return jwt.decode(token, key, ["RS256"], audience=tenant.audience, issuer=issuer)

    return claims_of


@pytest.fixture
def trusting(tenant: Tenant) -> Iterator[requests.Session]:
    """An https client for MSAL that trusts the stand-in's CA, whatever the environment says."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = tenant.ca_file
        yield session
