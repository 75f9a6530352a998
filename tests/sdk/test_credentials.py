"""Credentials, with the real MSAL against a tenant over https."""

import asyncio
from datetime import timedelta
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
    Answer,
    TenantDouble,
    refused,
    self_signed,
    to_pem,
    token,
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
        "Entra ID issues no access token: the client secret is wrong. Look it up, and set"
        " AZURE_CLIENT_SECRET to its value, not to its id (AADSTS7000215)"
    )


async def test_what_is_not_known_is_told_in_entras_first_line(
    application: EntraApplication, tenant: TenantDouble
) -> None:
    tenant.answers.append(refused(123))
    with pytest.raises(CredentialError) as caught:
        await ClientSecret(application, CLIENT_SECRET).access_token()
    assert str(caught.value) == (
        "Entra ID issues no access token (invalid_client): AADSTS123: Words of Entra."
    )


@pytest.mark.parametrize("content", [b"", b"no certificate", b"{key}", b"{certificate}{locked}"])
def test_a_certificate_file_that_is_none_is_named(
    application: EntraApplication, certificate: Path, content: bytes
) -> None:
    whole = certificate.read_bytes()
    begin = whole.index(b"-----BEGIN PRIVATE")
    for name, part in (
        (b"{key}", whole[begin:]),
        (b"{certificate}", whole[:begin]),
        (b"{locked}", locked(rsa.generate_private_key(public_exponent=65537, key_size=2048))),
    ):
        content = content.replace(name, part)
    certificate.write_bytes(content)

    with pytest.raises(ConfigurationError, match="AZURE_CLIENT_CERTIFICATE_PATH"):
        asyncio.run(ClientCertificate(application, certificate).access_token())


async def test_a_certificate_file_that_is_not_there_is_named(
    application: EntraApplication, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"AZURE_CLIENT_CERTIFICATE_PATH: .*No such file"):
        await ClientCertificate(application, tmp_path / "missing.pem").access_token()


def locked(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a-password"),
    )


async def test_a_clock_that_is_off_is_said_where_entra_refuses_for_it(
    application: EntraApplication, tenant: TenantDouble, certificate: Path
) -> None:
    tenant.ahead = timedelta(minutes=12)
    tenant.answers.append(refused(700024))
    with pytest.raises(CredentialError) as caught:
        await ClientCertificate(application, certificate).access_token()
    assert str(caught.value) == (
        "Entra ID issues no access token: this machine's clock is 12 minutes behind: set it right"
        " (AADSTS700024)"
    )


async def test_an_assertion_out_of_time_under_a_right_clock_blames_no_clock(
    application: EntraApplication, tenant: TenantDouble, certificate: Path
) -> None:
    tenant.answers.append(refused(700024))
    with pytest.raises(CredentialError, match="has expired, or is not valid yet"):
        await ClientCertificate(application, certificate).access_token()


@pytest.mark.parametrize(
    ("answer", "said", "wait"),
    [
        ((503, "<html>"), "Entra ID answers 503", 0.0),
        ((500, {"error": "server_error"}), "Entra ID answers 500", 0.0),
        ((429, {"error": "invalid_request"}), "Entra ID answers 429", 7.0),
        ((400, {"error": "temporarily_unavailable"}), "Entra ID answers 400", 0.0),
        ((200, "<html>a proxy's</html>"), "Entra ID answers with another's page", 0.0),
    ],
    ids=lambda one: str(one[0]) if isinstance(one, tuple) else "",
)
async def test_what_may_pass_by_itself_is_no_refusal(
    application: EntraApplication, tenant: TenantDouble, answer: Answer, said: str, wait: float
) -> None:
    tenant.answers.append(answer)
    with pytest.raises(Unavailable, match=said) as caught:
        await ClientSecret(application, CLIENT_SECRET).access_token()
    assert caught.value.retry_after == wait


async def test_a_tenant_that_entra_does_not_know_is_named(
    application: EntraApplication, tenant: TenantDouble
) -> None:
    tenant.without_metadata = 400
    with pytest.raises(CredentialError, match=f"no tenant {TENANT_ID}. Look at AZURE_TENANT_ID"):
        await ClientSecret(application, CLIENT_SECRET).access_token()


@pytest.mark.parametrize("status", [429, 503])
async def test_metadata_that_are_not_there_for_now_are_asked_for_again(
    application: EntraApplication, tenant: TenantDouble, status: int
) -> None:
    credential = ClientSecret(application, CLIENT_SECRET)
    tenant.without_metadata = status
    with pytest.raises(Unavailable, match=f"Entra ID answers {status}"):
        await credential.access_token()
    tenant.without_metadata = 0
    assert await credential.access_token() == tenant.issued[0]


async def test_an_authority_without_tls_is_refused_in_one_line() -> None:
    application = EntraApplication(TENANT_ID, CLIENT_ID, "api/.default", "http://127.0.0.1:1")
    with pytest.raises(CredentialError, match="Entra ID cannot be asked"):
        await ClientSecret(application, CLIENT_SECRET).access_token()


async def test_a_token_without_roles_is_replaced_past_the_cache(
    application: EntraApplication, tenant: TenantDouble
) -> None:
    tenant.tokens = [token(idtyp="app"), token(idtyp="app", roles=["LKPS.Agent"])]
    credential = ClientSecret(application, CLIENT_SECRET)

    assert await credential.access_token() == await credential.access_token() == tenant.issued[1]
    assert len(tenant.requests) == 2


async def test_a_token_that_lacks_roles_twice_is_left_to_lkps_to_refuse(
    application: EntraApplication, tenant: TenantDouble
) -> None:
    tenant.tokens = [token(roles=[]), token(idtyp="app")]

    assert await ClientSecret(application, CLIENT_SECRET).access_token() == tenant.issued[1]
    assert len(tenant.requests) == 2


async def test_who_waits_for_the_first_token_asks_for_none_of_their_own(
    application: EntraApplication, tenant: TenantDouble
) -> None:
    credential = ClientSecret(application, CLIENT_SECRET)
    tokens = await asyncio.gather(*(credential.access_token() for _ in range(8)))
    assert tokens == tenant.issued * 8


async def test_a_netrc_gives_entra_no_password(
    application: EntraApplication,
    tenant: TenantDouble,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password a-password\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    await ClientSecret(application, CLIENT_SECRET).access_token()
    assert tenant.authorizations == [None, None]


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
