"""Which credential is found where, and why."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import msal  # type: ignore[import-untyped]
import pytest

from lkps.credentials import (
    Attended,
    AzureCli,
    ClientCertificate,
    ClientSecret,
    EntraApplication,
    GitHubActions,
    ManagedIdentity,
    Person,
    WorkloadIdentity,
)
from lkps.credentials.modes import MODES
from lkps.credentials.token_cache import TokenCache
from lkps.errors import ConfigurationError
from lkps.settings import Settings, read_settings
from tests.docs.pages import ROOT
from tests.sdk.parts.az import Az
from tests.sdk.parts.environment import API, bare, of_lkps

APPLICATION = {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client"}
SECRET = {"AZURE_CLIENT_SECRET": "a-secret"}
CERTIFICATE = {"AZURE_CLIENT_CERTIFICATE_PATH": "agent.pem"}
POD = {"AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/token"}
JOB = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://github.example/token",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-request-token",
}
APP_SERVICE = {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/msi", "IDENTITY_HEADER": "a-header"}
EVERYTHING = APPLICATION | SECRET | CERTIFICATE | POD | JOB | APP_SERVICE
OF_PROGRAMS = EntraApplication("tenant", "client", f"{API}/.default")
PROFILE = {
    "url": "https://kept.example",
    "tenant": "kept-tenant",
    "client_id": "kept-client",
    "api_client_id": "kept-api",
}


def found(folder: Path, user_scope: str = "Agent.Register", **variables: str) -> Settings:
    environ = of_lkps(folder, **variables)
    return read_settings(environ, user_scope=user_scope)


def someone_signs_in(folder: Path) -> Path:
    """As `lkps login` leaves it."""
    config = folder / "lkps-config"
    config.mkdir()
    (config / "profile.json").write_text(json.dumps(PROFILE))
    cache = msal.SerializableTokenCache()
    cache.add(
        {
            "client_id": "kept-client",
            "token_endpoint": "https://login.microsoftonline.com/kept-tenant/oauth2/v2.0/token",
            "response": {
                "access_token": "a-token",
                "refresh_token": "another",
                "client_info": "eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ",
            },
        }
    )
    TokenCache(config).replace(cache)
    return config


@pytest.mark.parametrize(
    ("variables", "mode", "why", "credential"),
    [
        (
            EVERYTHING,
            "client-secret",
            "AZURE_CLIENT_SECRET is set",
            ClientSecret(OF_PROGRAMS, "a-secret"),
        ),
        (
            EVERYTHING | dict.fromkeys(SECRET, ""),
            "certificate",
            "AZURE_CLIENT_CERTIFICATE_PATH is set",
            ClientCertificate(OF_PROGRAMS, Path("agent.pem")),
        ),
        (
            APPLICATION | POD | JOB | APP_SERVICE,
            "workload-identity",
            "AZURE_FEDERATED_TOKEN_FILE is set",
            WorkloadIdentity(OF_PROGRAMS, Path("/var/run/secrets/token")),
        ),
        (
            APPLICATION | JOB | APP_SERVICE,
            "github",
            f"{' and '.join(JOB)} and AZURE_CLIENT_ID are set",
            GitHubActions(OF_PROGRAMS, "https://github.example/token", "a-request-token"),
        ),
        (
            JOB | APP_SERVICE,
            "managed-identity",
            "IDENTITY_ENDPOINT and IDENTITY_HEADER are set",
            ManagedIdentity(f"{API}/.default"),
        ),
        (
            APPLICATION | APP_SERVICE,
            "managed-identity",
            "IDENTITY_ENDPOINT and IDENTITY_HEADER are set",
            ManagedIdentity(f"{API}/.default", "client"),
        ),
    ],
    ids=["secret", "certificate", "pod", "job", "app-service", "user-assigned"],
)
def test_a_program_is_who_its_environment_says_first(
    tmp_path: Path, variables: dict[str, str], mode: str, why: str, credential: object
) -> None:
    someone_signs_in(tmp_path)
    settings = found(tmp_path, **variables)
    assert (settings.mode, settings.why) == (mode, why)
    assert settings.credential == credential


def test_whoever_signed_in_with_lkps_login_comes_before_the_azure_cli(tmp_path: Path) -> None:
    someone_signs_in(tmp_path)
    az = Az(tmp_path / "bin")
    settings = found(tmp_path, PATH=str(az.folder), AZURE_CONFIG_DIR=str(az.signs_in()))

    assert (settings.mode, settings.why) == ("login", "lkps login was done")
    assert isinstance(settings.credential, Person)
    assert settings.credential.application == EntraApplication(
        "kept-tenant", "kept-client", f"{API}/Agent.Register"
    )
    assert settings.lkps_url == "https://gateway.example/lkps"


def test_with_lkps_login_nothing_needs_to_be_in_the_environment(tmp_path: Path) -> None:
    someone_signs_in(tmp_path)
    settings = read_settings(bare(tmp_path), user_scope="Session.Start")
    assert settings.lkps_url == "https://kept.example"
    assert isinstance(settings.credential, Person)
    assert settings.credential.application.scope == "kept-api/Session.Start"


def test_an_address_that_is_given_wins_over_the_kept_one(tmp_path: Path) -> None:
    someone_signs_in(tmp_path)
    settings = read_settings(bare(tmp_path), lkps_url="http://127.0.0.1:7071", credential=None)
    assert settings.lkps_url == "http://127.0.0.1:7071"


@pytest.mark.parametrize("tokens", [None, "", "{}", "{"])
def test_a_login_that_is_over_is_none(tmp_path: Path, tokens: str | None) -> None:
    kept = someone_signs_in(tmp_path) / "tokens.bin"
    if tokens is None:
        kept.unlink()
    else:
        kept.write_text(tokens)
    with pytest.raises(ConfigurationError, match="  login: lkps login"):
        found(tmp_path)


def test_nothing_is_made_where_nobody_ever_signed_in(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        found(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_azure_clis_login_is_found_last(tmp_path: Path) -> None:
    az = Az(tmp_path / "bin")
    settings = found(
        tmp_path,
        PATH=str(az.folder),
        AZURE_CONFIG_DIR=str(az.signs_in()),
        AZURE_TENANT_ID="tenant",
    )
    assert (settings.mode, settings.why) == ("azure-cli", "az login was done")
    assert settings.credential == AzureCli(f"{API}/.default", "tenant")
    assert az.asked == []


@pytest.mark.parametrize("profile", [None, "{", "[]", '{"subscriptions": []}'])
def test_an_azure_cli_that_nobody_is_signed_in_to_is_not_taken(
    tmp_path: Path, profile: str | None
) -> None:
    az = Az(tmp_path / "bin")
    folder = tmp_path / ".azure"
    folder.mkdir()
    if profile is not None:
        (folder / "azureProfile.json").write_text(profile)
    with pytest.raises(ConfigurationError, match="  azure-cli: az login"):
        found(tmp_path, PATH=str(az.folder), HOME=str(tmp_path))


@pytest.mark.parametrize(
    ("mode", "variables", "kind"),
    [
        ("certificate", CERTIFICATE, ClientCertificate),
        ("workload-identity", POD, WorkloadIdentity),
        ("managed-identity", {}, ManagedIdentity),
        ("device-code", {"LKPS_CLI_CLIENT_ID": "people"}, Attended),
        ("browser", {"LKPS_CLI_CLIENT_ID": "people"}, Attended),
    ],
)
def test_a_mode_that_is_named_is_taken_whatever_speaks_for_others(
    tmp_path: Path, mode: str, variables: dict[str, str], kind: type
) -> None:
    settings = found(tmp_path, LKPS_CREDENTIAL=mode, **APPLICATION, **SECRET, **variables)
    assert (settings.mode, settings.why) == (mode, "LKPS_CREDENTIAL names it")
    assert isinstance(settings.credential, kind)


def test_a_person_is_asked_for_what_is_needed_and_no_more(tmp_path: Path) -> None:
    people = {"AZURE_TENANT_ID": "tenant", "LKPS_CLI_CLIENT_ID": "people"}
    settings = found(tmp_path, "Session.Start", LKPS_CREDENTIAL="device-code", **people)
    assert isinstance(settings.credential, Attended)
    asked = settings.credential.person.application
    assert asked == EntraApplication("tenant", "people", f"{API}/Session.Start")


def test_a_mode_that_is_named_and_lacks_something_says_what(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        found(tmp_path, LKPS_CREDENTIAL="github", **SECRET)
    assert str(caught.value) == (
        "missing in the environment: AZURE_TENANT_ID, AZURE_CLIENT_ID,"
        " ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN"
        " (github: LKPS_CREDENTIAL names it)"
    )


def test_a_mode_that_there_is_not_is_told_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="one of client-secret, certificate, workload-id"):
        found(tmp_path, LKPS_CREDENTIAL="password")


@pytest.mark.parametrize(
    ("variables", "authority"),
    [
        ({}, "https://login.microsoftonline.com"),
        (
            {"LKPS_AUTHORITY": "https://login.microsoftonline.us/"},
            "https://login.microsoftonline.us",
        ),
        (
            {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/"},
            "https://login.microsoftonline.com",
        ),
    ],
)
def test_the_cloud_is_lkps_authoritys_or_that_of_the_platform(
    tmp_path: Path, variables: dict[str, str], authority: str
) -> None:
    settings = found(tmp_path, **APPLICATION, **SECRET, **variables)
    assert isinstance(settings.credential, ClientSecret)
    assert settings.credential.application.authority == authority


def test_the_readme_has_the_modes_in_their_order() -> None:
    readme = (ROOT / "sdk/python/README.md").read_text()
    section = readme.partition("## Who the SDK is: authentication modes")[2].partition("\n## ")[0]
    rows = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert rows == [mode.name for mode in MODES]


def test_nothing_is_logged_where_nothing_is_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lkps")
    with pytest.raises(ConfigurationError):
        found(tmp_path)
    assert caplog.records == []


def test_the_sdk_is_imported_without_what_credentials_need() -> None:
    program = (
        "import sys, lkps; print(*sorted({'msal', 'requests', 'aiohttp'} & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout.split() == []
