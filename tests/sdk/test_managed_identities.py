"""Managed identities, against their endpoints over real HTTP."""

import time
from collections.abc import AsyncIterator

import pytest

from lkps.credentials import ManagedIdentity
from lkps.errors import CredentialError, LkpsError, Unavailable
from tests.sdk.parts.answerer import Answerer, Fate, Told, answering, page
from tests.sdk.parts.tenant import token

SCOPE = "api-of-lkps/.default"
CLIENT_ID = "c0ffee00-1111-4222-8333-444455556666"
HEADER = "the-identity-header"
TOKEN = "the-token-of-the-identity"
WHERE = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "IMDS_ENDPOINT")


def of_app_service(access_token: str = TOKEN, valid_for: int = 86400) -> Told:
    """App Service: "REST endpoint reference" of its managed identities."""
    return Told(
        200,
        {
            "access_token": access_token,
            "expires_on": str(int(time.time()) + valid_for),
            "resource": "api-of-lkps",
            "token_type": "Bearer",
            "client_id": CLIENT_ID,
        },
    )


def of_imds(access_token: str = TOKEN) -> Told:
    """Azure: "How to use managed identities on a VM to acquire an access token"."""
    body = {"access_token": access_token, "expires_in": "86399", "token_type": "Bearer"}
    return Told(200, {**body, "resource": "api-of-lkps"})


@pytest.fixture
async def endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Answerer]:
    """App Service's, which a proxy would not reach."""
    async with answering(of_app_service()) as endpoint:
        for name in WHERE:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        yield endpoint


@pytest.fixture
async def imds(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Answerer]:
    async with answering(of_imds()) as imds:
        for name in WHERE:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", imds.url)
        yield imds


async def test_app_service_gives_the_system_assigned_identitys_token_once(
    endpoint: Answerer,
) -> None:
    credential = ManagedIdentity(SCOPE)

    assert await credential.access_token() == await credential.access_token() == TOKEN
    (request,) = endpoint.requests
    assert dict(request.query) == {"api-version": "2019-08-01", "resource": "api-of-lkps"}
    assert request.headers["X-IDENTITY-HEADER"] == HEADER


async def test_a_user_assigned_identity_is_asked_for_by_its_client_id(endpoint: Answerer) -> None:
    await ManagedIdentity(SCOPE, CLIENT_ID).access_token()
    assert endpoint.requests[0].query["client_id"] == CLIENT_ID


async def test_a_virtual_machine_asks_its_metadata_service(imds: Answerer) -> None:
    assert await ManagedIdentity(SCOPE, CLIENT_ID).access_token() == TOKEN
    (request,) = imds.requests
    assert request.path.endswith("/metadata/identity/oauth2/token")
    assert (request.query["resource"], request.query["client_id"]) == ("api-of-lkps", CLIENT_ID)
    assert request.headers["Metadata"] == "true"


async def test_a_token_without_roles_is_replaced_past_the_cache(endpoint: Answerer) -> None:
    good = token(idtyp="app", roles=["LKPS.Agent"])
    endpoint.fates, endpoint.answer = [of_app_service(token(idtyp="app"))], of_app_service(good)
    credential = ManagedIdentity(SCOPE)

    assert {await credential.access_token() for _ in range(3)} == {good}
    assert len(endpoint.requests) == 2


async def test_a_token_that_lacks_roles_for_good_is_asked_for_once_more_and_a_minute_later_again(
    endpoint: Answerer,
) -> None:
    endpoint.answer = of_app_service(token(idtyp="app"))
    credential = ManagedIdentity(SCOPE)
    for _ in range(3):
        await credential.access_token()
    assert len(endpoint.requests) == 2

    credential._replacing._again_at = 0.0
    await credential.access_token()

    assert len(endpoint.requests) == 3


REFUSALS: list[tuple[Fate, type[LkpsError], str]] = [
    (Told(400, {"statusCode": 400, "message": TOKEN}), CredentialError, "no such managed identity"),
    (Told(403, {"statusCode": 403, "message": TOKEN}), CredentialError, "no such managed identity"),
    (Told(500, {"statusCode": 500, "message": TOKEN}), Unavailable, "gives no token .500."),
    (Told(404, {"message": TOKEN}), Unavailable, "gives no token .404."),
    (Told(429, {"message": TOKEN}, {"Retry-After": "9"}), Unavailable, "gives no token .429."),
    (page(502), Unavailable, "gives no token .502."),
    (Told(200, [TOKEN]), Unavailable, "gives no token .200."),
    (Told(200, {"access_token": TOKEN, "expires_on": "soon"}), Unavailable, "gives no token .200."),
    ("cut", Unavailable, "cannot be reached: ConnectionError"),
]


@pytest.mark.parametrize(("fate", "kind", "said"), REFUSALS)
async def test_an_endpoint_that_gives_no_token_is_told_of_and_asked_again(
    endpoint: Answerer, fate: Fate, kind: type[LkpsError], said: str
) -> None:
    credential = ManagedIdentity(SCOPE)
    endpoint.fates = [fate]
    with pytest.raises(kind, match=said) as caught:
        await credential.access_token()
    assert TOKEN not in str(caught.value)
    assert getattr(caught.value, "retry_after", 0) == (9 if ".429." in said else 0)
    assert await credential.access_token() == TOKEN


@pytest.mark.parametrize(
    ("client_id", "said"), [(None, "AZURE_CLIENT_ID names another"), (CLIENT_ID, "Is that of")]
)
async def test_a_machine_without_the_identity_is_told_what_to_look_at(
    imds: Answerer, client_id: str | None, said: str
) -> None:
    imds.answer = Told(400, {"error": "invalid_request", "error_description": "Identity not found"})
    with pytest.raises(CredentialError, match=said):
        await ManagedIdentity(SCOPE, client_id).access_token()


async def test_a_machine_that_is_not_azures_is_asked_whether_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in WHERE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"Does this run on Azure\?"):
        await ManagedIdentity(SCOPE).access_token()
