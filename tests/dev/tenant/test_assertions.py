"""A client assertion proves one application, to this tenant, for a short time."""

import time
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from dev.tenant.assertions import ASSERTION_TYPE
from dev.tenant.description import Tenant
from dev.tenant.keys import base64url
from dev.tenant.server import Options, running
from tests.dev.tenant.conftest import PostForm


def signed(
    tenant: Tenant,
    *,
    named: bool = True,
    signer: str = "agent",
    alg: str = "PS256",
    **changes: object,
) -> str:
    """An assertion of `agent`, whose certificate it names; a claim of None is left out."""
    agent, key_file = tenant.identity("agent"), tenant.identity(signer).private_key_file
    assert agent.certificate_file is not None
    assert key_file is not None
    certificate = x509.load_pem_x509_certificate(Path(agent.certificate_file).read_bytes())
    thumbprint = base64url(certificate.fingerprint(hashes.SHA256()))
    now = time.time()
    claims = {
        "aud": agent.token_endpoint,
        "iss": agent.client_id,
        "sub": agent.client_id,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 600,
    } | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(
        kept, Path(key_file).read_text(), alg, {"x5t#S256": thumbprint} if named else None
    )


def proof(assertion: str) -> dict[str, str | None]:
    return {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        "client_secret": None,
    }


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
async def test_an_assertion_gets_a_token(tenant: Tenant, post_form: PostForm, alg: str) -> None:
    status, body = await post_form("agent", **proof(signed(tenant, alg=alg)))
    assert status == 200
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert claims["azpacr"] == "2"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signer": "client"}, 700027),
        ({"alg": "PS512"}, 50027),
        ({"aud": "https://login.example/oauth2/v2.0/token"}, 700023),
        ({"iss": str(uuid.uuid4())}, 700021),
        ({"sub": str(uuid.uuid4())}, 700021),
        ({"exp": time.time() - 3600}, 700024),
        ({"nbf": time.time() + 3600}, 700024),
        ({"exp": None}, 50027),
        ({"jti": None}, 50027),
        ({"aud": None}, 50027),
    ],
)
async def test_an_assertion_is_refused(
    tenant: Tenant, post_form: PostForm, changes: dict[str, Any], code: int
) -> None:
    status, body = await post_form("agent", **proof(signed(tenant, **changes)))
    assert (status, body["error"], body["error_codes"]) == (401, "invalid_client", [code])


async def test_what_is_no_jwt_is_refused(post_form: PostForm) -> None:
    status, body = await post_form("agent", **proof("not.a.jwt"))
    assert (status, body["error_codes"]) == (401, [50027])


async def test_an_application_without_a_certificate_cannot_assert(
    tenant: Tenant, post_form: PostForm
) -> None:
    status, body = await post_form("other-agent", **proof(signed(tenant)))
    assert (status, body["error_codes"]) == (401, [700027])


async def test_an_assertion_that_names_no_certificate_is_refused(
    tenant: Tenant, post_form: PostForm
) -> None:
    unnamed = signed(tenant, named=False)
    status, body = await post_form("agent", **proof(unnamed))
    assert (status, body["error_codes"]) == (401, [700027])


async def test_another_assertion_with_a_used_id_is_refused(
    tenant: Tenant, post_form: PostForm
) -> None:
    first, second = (signed(tenant, jti="the-same", exp=time.time() + s) for s in (500, 600))
    assert (await post_form("agent", **proof(first)))[0] == 200
    status, body = await post_form("agent", **proof(second))
    assert (status, body["error_codes"]) == (401, [700027])
    assert "replayed" in body["error_description"]


async def test_a_replayed_assertion_is_refused_where_each_is_for_one_use(state: Path) -> None:
    async with (
        running(Options(state, single_use_assertions=True)) as tenant,
        aiohttp.ClientSession() as http,
    ):
        agent = tenant.identity("agent")
        form = agent.form(agent.scope) | proof(signed(tenant))
        del form["client_secret"]
        answers = []
        for _ in range(2):
            async with http.post(agent.token_endpoint, data=form) as response:
                answers.append((response.status, await response.json()))
    (first, _), (second, body) = answers
    assert (first, second) == (200, 401)
    assert "replayed" in body["error_description"]
