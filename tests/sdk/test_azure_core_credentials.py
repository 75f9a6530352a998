"""Credentials in the shape of azure-core's that a program hands in, sync and async."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from lkps import AgentServer, SessionClient
from lkps.credentials import AzureCredential
from lkps.errors import ConfigurationError, CredentialError, LkpsError, Unavailable
from lkps.settings import read_settings
from tests.sdk.parts.environment import bare, of_lkps
from tests.sdk.parts.tenant import token

SCOPE = "api-of-lkps/.default"
TOKEN = "the-token-of-azure"


@dataclass
class Sync:
    """As `azure.identity.DefaultAzureCredential` is; it remembers nothing."""

    issues: list[str] = field(default_factory=lambda: [TOKEN])
    valid_for: int = 3600
    error: Exception | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.asked.append(scopes)
        if self.error:
            raise self.error
        issued = self.issues.pop(0) if len(self.issues) > 1 else self.issues[0]
        return AccessToken(issued, int(time.time()) + self.valid_for)


class Async(Sync):
    """As `azure.identity.aio.DefaultAzureCredential` is."""

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:  # type: ignore[override]
        return super().get_token(*scopes)


@pytest.fixture(params=[Sync, Async])
def credential(request: pytest.FixtureRequest) -> Sync:
    made: Sync = request.param()
    return made


async def test_it_is_asked_for_lkps_once(credential: Sync) -> None:
    adapted = AzureCredential(credential, SCOPE)
    assert [await adapted.access_token() for _ in range(3)] == [TOKEN] * 3
    assert credential.asked == [(SCOPE,)]


async def test_a_token_near_its_end_is_asked_for_anew(credential: Sync) -> None:
    credential.valid_for, credential.issues = 60, ["first", "second"]
    adapted = AzureCredential(credential, SCOPE)
    assert [await adapted.access_token() for _ in range(2)] == ["first", "second"]


async def test_a_token_without_roles_is_asked_for_anew(credential: Sync) -> None:
    good = token(roles=["LKPS.Agent"])
    credential.issues = [token(idtyp="app"), good]
    adapted = AzureCredential(credential, SCOPE)
    assert [await adapted.access_token() for _ in range(2)] == [good, good]
    assert len(credential.asked) == 2


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ServiceRequestError("no route"), Unavailable, "cannot ask: ServiceRequestError"),
        (ClientAuthenticationError(f"{TOKEN}: no"), CredentialError, "ClientAuthenticationError"),
        (
            ClientAuthenticationError("AADSTS7000222: expired"),
            CredentialError,
            "the client secret has expired",
        ),
        (RuntimeError(TOKEN), CredentialError, "gives no token: RuntimeError"),
    ],
    ids=["network", "refused", "known", "else"],
)
async def test_its_errors_become_the_sdks(
    credential: Sync, error: Exception, kind: type[LkpsError], said: str
) -> None:
    credential.error = error
    with pytest.raises(kind, match=said) as caught:
        await AzureCredential(credential, SCOPE).access_token()
    assert TOKEN not in str(caught.value)
    assert type(credential).__name__ in str(caught.value)


def test_it_is_handed_in_where_any_credential_is(credential: Sync, tmp_path: Path) -> None:
    settings = read_settings(of_lkps(tmp_path), lkps_url=None, credential=credential)
    assert settings.credential == AzureCredential(credential, SCOPE)
    assert (settings.mode, settings.why) == ("given", "it was handed in")


async def test_agents_and_clients_take_it(
    credential: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LKPS_API_CLIENT_ID", "api-of-lkps")
    AgentServer(lkps_url="http://127.0.0.1:1", credential=credential)
    async with SessionClient(lkps_url="http://127.0.0.1:1", credential=credential):
        pass


def test_it_needs_to_know_whose_token_to_ask_for(credential: Sync, tmp_path: Path) -> None:
    environ = bare(tmp_path, LKPS_URL="https://gateway.example")
    with pytest.raises(ConfigurationError, match=r"environment: LKPS_API_CLIENT_ID$"):
        read_settings(environ, lkps_url=None, credential=credential)
