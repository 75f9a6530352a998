"""Workloads that Entra trusts by the token of their platform."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lkps.credentials import EntraApplication, GitHubActions, WorkloadIdentity
from lkps.errors import ConfigurationError, CredentialError, LkpsError, Unavailable
from tests.sdk.parts.answerer import Answerer, Fate, Told, answering, page
from tests.sdk.parts.tenant import CLIENT_ID, TENANT_ID, TenantDouble, refused, token

REQUEST_TOKEN = "the-request-token-of-the-job"
ID_TOKEN = token(iss="https://token.actions.githubusercontent.com", sub="repo:a/b:ref:refs/heads/c")
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def application(tenant: TenantDouble, monkeypatch: pytest.MonkeyPatch) -> EntraApplication:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tenant.ca_file))
    return EntraApplication(TENANT_ID, CLIENT_ID, "api-of-lkps/.default", tenant.authority)


@pytest.fixture
async def github() -> AsyncIterator[Answerer]:
    async with answering(Told(200, {"count": 1857, "value": ID_TOKEN})) as github:
        yield github


def job(application: EntraApplication, github: Answerer) -> GitHubActions:
    """GitHub's address has a query of its own."""
    return GitHubActions(application, f"{github.url}/token?api-version=2.0", REQUEST_TOKEN)


async def test_a_pods_token_is_its_proof_and_is_read_anew_when_the_platform_replaced_it(
    application: EntraApplication, tenant: TenantDouble, tmp_path: Path
) -> None:
    file = tmp_path / "azure-identity-token"
    file.write_text("first\n")
    tenant.tokens = [token(idtyp="app")]
    credential = WorkloadIdentity(application, file)
    tenant.answers = [refused(700024)]
    with pytest.raises(CredentialError, match="or at the workload's token"):
        await credential.access_token()
    file.write_text("second\n")

    assert await credential.access_token() == await credential.access_token()
    proofs = [(form["client_assertion_type"], form["client_assertion"]) for form in tenant.requests]
    assert proofs == [(JWT_BEARER, one) for one in ("first", "second", "second")]
    assert {form["client_id"] for form in tenant.requests} == {CLIENT_ID}


async def test_a_pod_without_its_token_names_the_variable(
    application: EntraApplication, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"AZURE_FEDERATED_TOKEN_FILE: .*No such file"):
        await WorkloadIdentity(application, tmp_path / "missing").access_token()


async def test_a_workload_that_entra_does_not_trust_is_told_what_to_add(
    application: EntraApplication, tenant: TenantDouble, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a-token")
    tenant.answers.append(refused(700213))
    with pytest.raises(CredentialError, match="Have a federated credential added"):
        await WorkloadIdentity(application, tmp_path / "token").access_token()


async def test_a_job_asks_github_for_a_token_to_exchange(
    application: EntraApplication, tenant: TenantDouble, github: Answerer
) -> None:
    credential = job(application, github)

    assert await credential.access_token() == await credential.access_token() == tenant.issued[0]
    (asked,) = github.requests
    assert dict(asked.query) == {"api-version": "2.0", "audience": "api://AzureADTokenExchange"}
    assert asked.headers["Authorization"] == f"Bearer {REQUEST_TOKEN}"
    (form,) = tenant.requests
    assert form["client_assertion"] == ID_TOKEN


ANSWERS: list[tuple[Fate, type[LkpsError], str]] = [
    (Told(403, {"message": "no"}), CredentialError, "permissions: id-token: write"),
    (page(401), CredentialError, "permissions: id-token: write"),
    (Told(200, ["value"]), CredentialError, "GitHub issues no token .200."),
    (page(500), Unavailable, "GitHub's token service answers 500"),
    (Told(429, {}, {"Retry-After": "3"}), Unavailable, "GitHub's token service answers 429"),
    ("cut", Unavailable, "GitHub's token service cannot be reached"),
]


@pytest.mark.parametrize(("fate", "kind", "said"), ANSWERS)
async def test_a_github_that_gives_no_token_is_told_of(
    application: EntraApplication,
    tenant: TenantDouble,
    github: Answerer,
    fate: Fate,
    kind: type[LkpsError],
    said: str,
) -> None:
    github.fates = [fate, fate]
    with pytest.raises(kind, match=said):
        await job(application, github).access_token()
    assert tenant.requests == []
