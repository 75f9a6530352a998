"""What the agent's environment may say."""

import pytest

from lkps.credentials import ClientCertificate, ClientSecret
from lkps.errors import ConfigurationError
from lkps.settings import read_settings

COMPLETE = {
    "LKPS_URL": "https://gateway.example/lkps/",
    "LKPS_API_CLIENT_ID": "api",
    "AZURE_TENANT_ID": "tenant",
    "AZURE_CLIENT_ID": "client",
    "AZURE_CLIENT_SECRET": "a-client-secret",
}


class OwnCredential:
    async def access_token(self) -> str:
        return "token"


def test_a_complete_environment_gives_the_address_and_a_client_secret() -> None:
    settings = read_settings(COMPLETE, lkps_url=None, credential=None)

    assert settings.lkps_url == "https://gateway.example/lkps"
    assert isinstance(settings.credential, ClientSecret)
    assert settings.credential.application.scope == "api/.default"
    assert settings.credential.application.authority == "https://login.microsoftonline.com"
    assert "a-client-secret" not in repr(settings)


def test_a_certificate_is_used_when_there_is_no_secret() -> None:
    environ = {**COMPLETE, "AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_CERTIFICATE_PATH": "agent.pem"}

    settings = read_settings(environ, lkps_url=None, credential=None)

    assert isinstance(settings.credential, ClientCertificate)
    assert str(settings.credential.certificate_path) == "agent.pem"


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings({}, lkps_url=None, credential=None)

    assert str(caught.value) == (
        "missing in the environment: LKPS_URL, AZURE_TENANT_ID, AZURE_CLIENT_ID,"
        " LKPS_API_CLIENT_ID, AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH)"
    )


def test_what_is_given_needs_no_environment() -> None:
    credential = OwnCredential()

    settings = read_settings({}, lkps_url="http://127.0.0.1:7071", credential=credential)

    assert settings.lkps_url == "http://127.0.0.1:7071"
    assert settings.credential is credential


@pytest.mark.parametrize("url", ["http://lkps.example", "lkps.example", "ftp://lkps.example"])
def test_an_access_token_is_sent_over_https_only(url: str) -> None:
    with pytest.raises(ConfigurationError, match="https://"):
        read_settings({**COMPLETE, "LKPS_URL": url}, lkps_url=None, credential=None)


@pytest.mark.parametrize("url", ["http://localhost:7071", "http://[::1]:7071"])
def test_this_machine_may_be_called_without_tls(url: str) -> None:
    assert read_settings(COMPLETE, lkps_url=url, credential=None).lkps_url == url


@pytest.mark.parametrize("name", ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_WORKER_TOKEN"])
def test_any_livekit_key_is_refused_by_name_and_not_shown(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"delete {name} from") as caught:
        read_settings({**COMPLETE, name: "the-key"}, lkps_url=None, credential=None)

    assert "the-key" not in str(caught.value)
