"""The real MSAL gets tokens from the stand-in over https."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import msal  # type: ignore[import-untyped]
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from dev.tenant.description import Tenant

type Claims = dict[str, Any]


def application(
    tenant: Tenant, session: requests.Session, name: str, credential: object
) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        tenant.identity(name).client_id,
        client_credential=credential,
        authority=f"{tenant.authority_https}/{tenant.tenant_id}",
        instance_discovery=False,
        http_client=session,
    )


async def acquire(
    tenant: Tenant, session: requests.Session, name: str, credential: object
) -> dict[str, Any]:
    def blocking() -> dict[str, Any]:
        client = application(tenant, session, name, credential)
        answer: dict[str, Any] = client.acquire_token_for_client([f"{tenant.audience}/.default"])
        return answer

    return await asyncio.to_thread(blocking)


def certificate(tenant: Tenant, name: str) -> dict[str, str]:
    identity = tenant.identity(name)
    assert identity.private_key_file is not None
    assert identity.certificate_file is not None
    return {
        "private_key": Path(identity.private_key_file).read_text(),
        "public_certificate": Path(identity.certificate_file).read_text(),
    }


async def verified(claims_of: Callable[[str], Claims], answer: dict[str, Any]) -> Claims:
    return await asyncio.to_thread(claims_of, answer["access_token"])


async def test_a_secret_gets_a_token_that_names_the_client_and_its_role(
    tenant: Tenant, trusting: requests.Session, claims_of: Callable[[str], Claims]
) -> None:
    answer = await acquire(tenant, trusting, "client", tenant.identity("client").client_secret)
    claims = await verified(claims_of, answer)
    assert claims["azp"] == tenant.identity("client").client_id
    assert (claims["azpacr"], claims["roles"]) == ("1", ["LKPS.Client"])
    assert answer["token_source"] == "identity_provider"


async def test_a_certificate_gets_a_token_that_says_so(
    tenant: Tenant, trusting: requests.Session, claims_of: Callable[[str], Claims]
) -> None:
    answer = await acquire(tenant, trusting, "agent", certificate(tenant, "agent"))
    claims = await verified(claims_of, answer)
    assert claims["oid"] == tenant.identity("agent").object_id
    assert (claims["azpacr"], claims["roles"]) == ("2", ["LKPS.Agent"])


async def test_a_certificate_named_by_its_sha1_thumbprint_is_accepted(
    tenant: Tenant, trusting: requests.Session, claims_of: Callable[[str], Claims]
) -> None:
    credential = certificate(tenant, "agent")
    loaded = x509.load_pem_x509_certificate(credential["public_certificate"].encode())
    thumbprint = loaded.fingerprint(hashes.SHA1()).hex()
    credential = {"private_key": credential["private_key"], "thumbprint": thumbprint}
    answer = await acquire(tenant, trusting, "agent", credential)
    assert (await verified(claims_of, answer))["azpacr"] == "2"


async def test_msal_gets_a_second_token_with_the_assertion_that_it_still_holds(
    tenant: Tenant, trusting: requests.Session
) -> None:
    def twice() -> list[dict[str, Any]]:
        client = application(tenant, trusting, "agent", certificate(tenant, "agent"))
        scopes = [f"{tenant.audience}/.default"], [f"api://{tenant.audience}/.default"]
        return [client.acquire_token_for_client(list(scope)) for scope in scopes]

    first, second = await asyncio.to_thread(twice)
    assert second["token_source"] == "identity_provider"
    assert second["access_token"] != first["access_token"]


async def test_another_applications_certificate_is_refused(
    tenant: Tenant, trusting: requests.Session
) -> None:
    answer = await acquire(tenant, trusting, "agent", certificate(tenant, "client"))
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [700027])


async def test_a_wrong_secret_is_refused(tenant: Tenant, trusting: requests.Session) -> None:
    answer = await acquire(tenant, trusting, "client", "wrong")
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [7000215])
    assert answer["error_description"].startswith("AADSTS7000215: ")


async def test_msal_refuses_an_authority_of_another_tenant(
    tenant: Tenant, trusting: requests.Session
) -> None:
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        await asyncio.to_thread(
            msal.ConfidentialClientApplication,
            tenant.identity("client").client_id,
            client_credential="any",
            authority=f"{tenant.authority_https}/common",
            instance_discovery=False,
            http_client=trusting,
        )


async def test_tokens_of_both_listeners_have_the_http_issuer(
    tenant: Tenant, trusting: requests.Session
) -> None:
    answer = await acquire(tenant, trusting, "client", tenant.identity("client").client_secret)
    tokens = answer["access_token"], await tenant.access_token("client")
    issuers = {jwt.decode(each, options={"verify_signature": False})["iss"] for each in tokens}
    assert issuers == {f"{tenant.authority}/{tenant.tenant_id}/v2.0"}
