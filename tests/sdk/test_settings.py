"""What the agent's environment may say."""

import logging
from pathlib import Path

import pytest

from lkps.credentials import ClientCertificate, ClientSecret
from lkps.errors import ConfigurationError
from lkps.settings import read_settings
from tests.sdk.parts.environment import bare, of_lkps

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
    settings = read_settings(COMPLETE)

    assert settings.lkps_url == "https://gateway.example/lkps"
    assert (settings.mode, settings.why) == ("client-secret", "AZURE_CLIENT_SECRET is set")
    assert isinstance(settings.credential, ClientSecret)
    assert settings.credential.application.scope == "api/.default"
    assert settings.credential.application.authority == "https://login.microsoftonline.com"
    assert "a-client-secret" not in repr(settings)


def test_a_certificate_is_used_when_there_is_no_secret() -> None:
    environ = {**COMPLETE, "AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_CERTIFICATE_PATH": "agent.pem"}

    settings = read_settings(environ)

    assert isinstance(settings.credential, ClientCertificate)
    assert str(settings.credential.certificate_path) == "agent.pem"


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(bare(tmp_path))

    assert str(caught.value).splitlines() == [
        (
            "missing in the environment: LKPS_URL, LKPS_API_CLIENT_ID, who calls."
            " One of these says it, the shortest first:"
        ),
        "  login: lkps login",
        "  azure-cli: az login",
        "  managed-identity: LKPS_CREDENTIAL=managed-identity",
        "  client-secret: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET",
        "  certificate: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH",
        "  workload-identity: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE",
        "  device-code: AZURE_TENANT_ID, LKPS_CLI_CLIENT_ID, LKPS_CREDENTIAL=device-code",
        "  browser: AZURE_TENANT_ID, LKPS_CLI_CLIENT_ID, LKPS_CREDENTIAL=browser",
        (
            "  github: AZURE_TENANT_ID, AZURE_CLIENT_ID, ACTIONS_ID_TOKEN_REQUEST_URL,"
            " ACTIONS_ID_TOKEN_REQUEST_TOKEN"
        ),
    ]


def test_the_way_that_has_least_to_go_is_named_first(tmp_path: Path) -> None:
    environ = of_lkps(tmp_path, AZURE_TENANT_ID="t", LKPS_CLI_CLIENT_ID="c")
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environ)
    first, *ways = str(caught.value).splitlines()
    assert first.startswith("missing in the environment: who calls. ")
    assert "  browser: LKPS_CREDENTIAL=browser" in ways[:5]
    assert ways[-1].startswith("  github: ")


def test_what_is_chosen_and_lacks_something_is_not_exchanged_for_another(tmp_path: Path) -> None:
    identity = {"IDENTITY_ENDPOINT": "http://127.0.0.1:1", "IDENTITY_HEADER": "h"}
    environ = bare(tmp_path, AZURE_CLIENT_SECRET="a-client-secret", LKPS_URL="u", **identity)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environ)

    assert str(caught.value) == (
        "missing in the environment: LKPS_API_CLIENT_ID, AZURE_TENANT_ID, AZURE_CLIENT_ID"
        " (client-secret: AZURE_CLIENT_SECRET is set)"
    )


def test_the_choice_is_logged_once_without_what_it_is_made_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "lkps")
    read_settings(COMPLETE)

    (record,) = caplog.records
    said = vars(record)
    assert (said["credential"], said["why"]) == ("client-secret", "AZURE_CLIENT_SECRET is set")
    assert "a-client-secret" not in str(said)


def test_what_is_given_needs_no_environment() -> None:
    credential = OwnCredential()

    settings = read_settings({}, lkps_url="http://127.0.0.1:7071", credential=credential)

    assert settings.lkps_url == "http://127.0.0.1:7071"
    assert settings.credential is credential


@pytest.mark.parametrize("url", ["http://lkps.example", "lkps.example", "ftp://lkps.example"])
def test_an_access_token_is_sent_over_https_only(url: str) -> None:
    with pytest.raises(ConfigurationError, match="https://"):
        read_settings({**COMPLETE, "LKPS_URL": url})


@pytest.mark.parametrize("url", ["http://localhost:7071", "http://[::1]:7071"])
def test_this_machine_may_be_called_without_tls(url: str) -> None:
    assert read_settings(COMPLETE, lkps_url=url, credential=None).lkps_url == url


@pytest.mark.parametrize("name", ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_WORKER_TOKEN"])
def test_any_livekit_key_is_refused_by_name_and_not_shown(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"delete {name} from") as caught:
        read_settings({**COMPLETE, name: "the-key"})

    assert "the-key" not in str(caught.value)
