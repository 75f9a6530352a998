"""Credentials, with the real MSAL against a tenant over https."""

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lkps.credentials import ClientCertificate, ClientSecret, Credential, EntraApplication
from lkps.errors import ConfigurationError, CredentialError, Unavailable
from tests.sdk.parts.tenant import (
    CLIENT_ID,
    CLIENT_SECRET,
    TENANT_ID,
    TenantDouble,
    self_signed,
    to_pem,
)


@pytest.fixture
def application(tenant: TenantDouble, monkeypatch: pytest.MonkeyPatch) -> EntraApplication:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tenant.ca_file))
    return EntraApplication(TENANT_ID, CLIENT_ID, "api-of-lkps/.default", tenant.authority)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "agent.pem"
    pem = self_signed(key).public_bytes(serialization.Encoding.PEM)
    path.write_bytes(pem + to_pem(key))
    return path


async def test_a_client_secret_gives_an_access_token_and_is_asked_for_once(
    application: EntraApplication, tenant: TenantDouble
) -> None:
    credential = ClientSecret(application, CLIENT_SECRET)

    assert await credential.access_token() == await credential.access_token()

    (form,) = tenant.requests
    assert form["scope"] == "api-of-lkps/.default"
    assert form["client_id"] == CLIENT_ID
    assert CLIENT_SECRET not in repr(credential)


async def test_a_certificate_signs_an_assertion_and_stays_here(
    application: EntraApplication, tenant: TenantDouble, certificate: Path
) -> None:
    credential = ClientCertificate(application, certificate)

    assert await credential.access_token() == tenant.issued[0]

    (form,) = tenant.requests
    claims = jwt.decode(form["client_assertion"], options={"verify_signature": False})
    assert claims["iss"] == CLIENT_ID
    assert jwt.get_unverified_header(form["client_assertion"])["x5t#S256"]


async def test_a_refusal_of_entra_says_why_in_one_line(application: EntraApplication) -> None:
    with pytest.raises(CredentialError) as caught:
        await ClientSecret(application, "not-the-secret").access_token()

    assert str(caught.value) == (
        "Entra ID issues no access token (invalid_client):"
        " AADSTS7000215: Invalid client secret provided."
    )


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["absent", "unreadable"])
async def test_a_certificate_file_that_is_none_is_named(
    application: EntraApplication, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "missing.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ConfigurationError, match="AZURE_CLIENT_CERTIFICATE_PATH"):
        await ClientCertificate(application, path).access_token()


async def test_an_entra_that_is_away_is_no_refusal(
    application: EntraApplication, tenant: TenantDouble, certificate: Path
) -> None:
    tenant.stop()
    credentials: list[Credential] = [
        ClientSecret(application, CLIENT_SECRET),
        ClientCertificate(application, certificate),
    ]
    for credential in credentials:
        with pytest.raises(Unavailable, match="Entra ID cannot be reached"):
            await credential.access_token()
