"""`lkps login` and `logout`: people with the browser, and programs without it."""

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
import requests

from dev.tenant.browser import visit
from dev.tenant.description import Tenant
from dev.tenant.server import Options, running
from lkps.credentials import NotSignedIn
from lkps.settings import read_settings
from lkps_core.errors import PermissionLacking
from tests.sdk.cli.parts.answers import whoami
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn
from tests.sdk.cli.parts.program import BROWSER, ended, run, start
from tests.sdk.parts.az import Az
from tests.sdk.parts.people import type_code
from tests.sdk.parts.tenant import TenantDouble

ALICE = ("--login-hint", "alice@lkps.example")
BOB = ("--login-hint", "bob@lkps.example")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tenant")


@pytest.fixture
async def entra(state: Path) -> AsyncIterator[Tenant]:
    async with running(Options(state)) as entra:
        yield entra


@pytest.fixture
async def lkps_of_people() -> AsyncIterator[LkpsStandIn]:
    service = LkpsStandIn()
    service.answers_with("GET", "whoami", whoami(kind="user"))
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.fixture
def environment(entra: Tenant, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LKPS_CONFIG_DIR": str(folder),
        "REQUESTS_CA_BUNDLE": entra.ca_file,
        "BROWSER": BROWSER,
    }


@pytest.fixture
def where(entra: Tenant, lkps_of_people: LkpsStandIn) -> tuple[str, ...]:
    return (
        *("--url", lkps_of_people.url, "--tenant", entra.tenant_id),
        *("--client-id", entra.public_clients["cli"], "--api-client-id", entra.audience),
        *("--authority", entra.authority_https),
    )


def callers(service: LkpsStandIn) -> list[str]:
    """As whom LKPS was called, by their usernames."""
    tokens = [one.headers["Authorization"].removeprefix("Bearer ") for one in service.received]
    claims = [jwt.decode(token, options={"verify_signature": False}) for token in tokens]
    return [str(one.get("preferred_username", one["oid"])).partition("@")[0] for one in claims]


def certificate(entra: Tenant, name: str) -> str:
    identity = entra.identity(name)
    files = (identity.certificate_file, identity.private_key_file)
    return "".join(Path(one).read_text() for one in files if one)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_person_signs_in_with_the_browser_once_and_is_known_from_then_on(
    environment: dict[str, str],
    where: tuple[str, ...],
    lkps_of_people: LkpsStandIn,
    entra: Tenant,
    folder: Path,
) -> None:
    signed_in = await run(environment, "login", *where, *ALICE)
    del environment["BROWSER"]
    later = await run(environment, "whoami")

    assert (signed_in.code, later.code) == (0, 0), signed_in.err + later.err
    assert signed_in.out == later.out
    assert callers(lkps_of_people) == ["alice", "alice"]
    tokens = {one.headers["Authorization"] for one in lkps_of_people.received}
    assert len(tokens) == 1
    assert (mode(folder), mode(folder / "profile.json"), mode(folder / "tokens.bin")) == (
        0o700,
        0o600,
        0o600,
    )
    printed = signed_in.out + signed_in.err + later.out + later.err
    assert tokens.pop().removeprefix("Bearer ") not in printed
    assert "eyJ" not in printed


async def test_a_token_near_its_end_is_renewed_without_the_person(
    state: Path, folder: Path, lkps_of_people: LkpsStandIn
) -> None:
    async with running(Options(state, token_lifetime=120)) as entra:
        environment = {
            "PATH": os.environ["PATH"],
            "LKPS_CONFIG_DIR": str(folder),
            "REQUESTS_CA_BUNDLE": entra.ca_file,
            "LKPS_URL": lkps_of_people.url,
            "LKPS_CLI_CLIENT_ID": entra.public_clients["cli"],
            "LKPS_API_CLIENT_ID": entra.audience,
            "LKPS_AUTHORITY": entra.authority_https,
            "AZURE_TENANT_ID": entra.tenant_id,
        }
        await run({**environment, "BROWSER": BROWSER}, "login", *ALICE)
        later = await run(environment, "whoami")

    assert later.code == 0, later.err
    assert callers(lkps_of_people) == ["alice", "alice"]
    first, second = (one.headers["Authorization"] for one in lkps_of_people.received)
    assert first != second


async def test_without_a_browser_the_address_is_printed(
    environment: dict[str, str], where: tuple[str, ...], lkps_of_people: LkpsStandIn, entra: Tenant
) -> None:
    del environment["BROWSER"]
    login = await start(environment, "login", "--no-browser", *where, *ALICE)
    assert login.stderr is not None
    said = (await login.stderr.readline()).decode()
    address = (await login.stderr.readline()).decode().strip()

    with requests.Session() as browser:
        browser.trust_env, browser.verify = False, entra.ca_file
        page = await asyncio.to_thread(visit, address, browser)
    ran = await ended(login)

    assert said == "Open this address in a browser on this machine:\n"
    assert "Authentication complete" in page.text
    assert ran.code == 0
    assert callers(lkps_of_people) == ["alice"]


async def test_a_person_signs_in_on_another_device_with_a_code(
    state: Path, folder: Path, lkps_of_people: LkpsStandIn
) -> None:
    async with running(Options(state, device_code_interval=1)) as entra:
        environment = {
            "PATH": os.environ["PATH"],
            "LKPS_CONFIG_DIR": str(folder),
            "REQUESTS_CA_BUNDLE": entra.ca_file,
            "LKPS_URL": lkps_of_people.url,
            "LKPS_CLI_CLIENT_ID": entra.public_clients["cli"],
            "LKPS_API_CLIENT_ID": entra.audience,
            "LKPS_AUTHORITY": entra.authority_https,
            "AZURE_TENANT_ID": entra.tenant_id,
        }
        login = await start(environment, "login", "--device-code")
        assert login.stderr is not None
        said = (await login.stderr.readline()).decode()
        await asyncio.to_thread(type_code, entra, said, username="bob@lkps.example")
        ran = await ended(login)
        later = await run(environment, "whoami")

    assert (ran.code, later.code) == (0, 0), ran.err + later.err
    assert callers(lkps_of_people) == ["bob", "bob"]


async def test_an_agent_runs_as_whoever_signed_in_and_is_told_where_lkps_is(
    environment: dict[str, str],
    where: tuple[str, ...],
    lkps_of_people: LkpsStandIn,
    entra: Tenant,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", entra.ca_file)
    await run(environment, "login", *where, *ALICE)

    settings = read_settings(
        {"LKPS_CONFIG_DIR": str(folder)},
        lkps_url=None,
        credential=None,
        user_scope="Agent.Register",
    )
    token = await settings.credential.access_token()
    (folder / "tokens.bin").write_text("{}")
    with pytest.raises(NotSignedIn, match="lkps login"):
        await settings.credential.access_token()

    assert (settings.lkps_url, settings.mode) == (lkps_of_people.url, "login")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["oid"] == entra.identity("alice").object_id
    assert "Agent.Register" in claims["scp"].split()


async def test_a_pipelines_job_needs_no_login(
    lkps: Command, service: LkpsStandIn, tenant: TenantDouble, tmp_path: Path
) -> None:
    service.answers_with("GET", "whoami", whoami())
    del lkps.environment["AZURE_CLIENT_SECRET"]
    (tmp_path / "token").write_text("the-token-of-the-platform")
    lkps.environment["AZURE_FEDERATED_TOKEN_FILE"] = str(tmp_path / "token")

    assert (await lkps("whoami")).code == 0
    assert tenant.requests[0]["client_assertion"] == "the-token-of-the-platform"


async def test_a_managed_identity_needs_not_be_told_its_tenant(
    lkps: Command, service: LkpsStandIn
) -> None:
    for name in ("AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"):
        del lkps.environment[name]
    lkps.environment |= {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/", "IDENTITY_HEADER": "h"}

    ran = await lkps("whoami")

    assert ran.code == 5
    assert "the managed identity cannot be reached" in ran.err


async def test_the_azure_clis_login_is_used_when_it_is_asked_for(
    bare: Command, lkps_of_people: LkpsStandIn, tmp_path: Path
) -> None:
    az = Az(tmp_path / "bin")
    az.issues("the-token-of-az", time.time() + 3600)
    bare.environment |= {
        "PATH": f"{az.folder}{os.pathsep}{bare.environment['PATH']}",
        "AZURE_CONFIG_DIR": str(az.signs_in()),
        "LKPS_CONFIG_DIR": str(tmp_path / "config"),
        "LKPS_URL": lkps_of_people.url,
        "LKPS_API_CLIENT_ID": "api-of-lkps",
    }

    without = await bare("whoami")
    bare.environment["LKPS_CREDENTIAL"] = "azure-cli"
    asked = await bare("whoami")

    assert (without.code, asked.code) == (4, 0), asked.err
    (received,) = lkps_of_people.received
    assert received.headers["Authorization"] == "Bearer the-token-of-az"


async def test_who_signs_in_replaces_who_was(
    environment: dict[str, str], where: tuple[str, ...], lkps_of_people: LkpsStandIn
) -> None:
    await run(environment, "login", *where, *ALICE)
    await run(environment, "login", *BOB)
    await run(environment, "whoami")

    assert callers(lkps_of_people) == ["alice", "bob", "bob"]


async def test_a_sign_in_that_fails_leaves_who_was_there(
    environment: dict[str, str], where: tuple[str, ...], lkps_of_people: LkpsStandIn
) -> None:
    await run(environment, "login", *where, *ALICE)
    failed = await run(environment, "login", "--api-client-id", "another-api", *BOB)
    later = await run(environment, "whoami")

    assert failed.code == 4
    assert "AADSTS" in failed.err
    assert (later.code, callers(lkps_of_people)) == (0, ["alice", "alice"])


async def test_logging_out_forgets_the_person_and_not_where_lkps_is(
    environment: dict[str, str], where: tuple[str, ...], lkps_of_people: LkpsStandIn
) -> None:
    await run(environment, "login", *where, *ALICE)

    out = await run(environment, "logout")
    later = await run(environment, "whoami")
    again = await run(environment, "login", *ALICE)

    assert (out.code, later.code, again.code) == (0, 4, 0)
    assert "nobody is signed in" in later.err
    assert later.err.endswith("next  lkps login\n")
    assert len(lkps_of_people.received) == 2


async def test_an_lkps_that_refuses_whom_entra_knows_says_why(
    environment: dict[str, str], where: tuple[str, ...], lkps_of_people: LkpsStandIn
) -> None:
    lkps_of_people.answers.clear()
    lkps_of_people.refuses("GET", "whoami", PermissionLacking("Agent.Manage"))

    ran = await run(environment, "login", *where, *ALICE)

    assert ran.code == 1
    assert "This needs one of: Agent.Manage" in ran.err


async def test_tokens_that_cannot_be_read_are_no_sign_in(
    environment: dict[str, str], where: tuple[str, ...], folder: Path
) -> None:
    await run(environment, "login", *where, *ALICE)
    (folder / "tokens.bin").write_text("{")

    ran = await run(environment, "whoami")

    assert ran.code == 4
    assert "lkps login" in ran.err
    assert "Traceback" not in ran.err


async def test_an_application_in_the_environment_needs_no_login_and_wins_over_the_person(
    environment: dict[str, str],
    where: tuple[str, ...],
    lkps_of_people: LkpsStandIn,
    entra: Tenant,
) -> None:
    await run(environment, "login", *where, *ALICE)
    manager = entra.identity("manager")
    environment |= {
        "AZURE_CLIENT_ID": manager.client_id,
        "AZURE_CLIENT_SECRET": manager.client_secret or "",
    }

    login = await run(environment, "login")
    ran = await run(environment, "whoami")

    assert (login.code, ran.code) == (0, 0)
    assert "it needs no login" in login.err
    assert callers(lkps_of_people) == ["alice", manager.object_id, manager.object_id]


async def test_an_application_may_prove_itself_with_a_certificate(
    environment: dict[str, str],
    lkps_of_people: LkpsStandIn,
    entra: Tenant,
    tmp_path: Path,
) -> None:
    client = entra.identity("client")
    pem = tmp_path / "client.pem"
    pem.write_text(certificate(entra, "client"))
    environment |= {
        "LKPS_URL": lkps_of_people.url,
        "LKPS_API_CLIENT_ID": entra.audience,
        "LKPS_AUTHORITY": entra.authority_https,
        "AZURE_TENANT_ID": entra.tenant_id,
        "AZURE_CLIENT_ID": client.client_id,
        "AZURE_CLIENT_CERTIFICATE_PATH": str(pem),
    }

    assert (await run(environment, "whoami")).code == 0
    assert callers(lkps_of_people) == [client.object_id]


async def test_a_first_login_names_what_it_needs(bare: Command, tmp_path: Path) -> None:
    bare.environment["LKPS_CONFIG_DIR"] = str(tmp_path)

    ran = await bare("login", "--tenant", "t")

    assert ran.code == 2
    for said in ("--url (LKPS_URL)", "--client-id (LKPS_CLI_CLIENT_ID)", "LKPS_API_CLIENT_ID"):
        assert said in ran.err
    assert "AZURE_TENANT_ID" not in ran.err


@pytest.mark.parametrize("command", [("whoami",), ("agents", "list", "--json")], ids=" ".join)
async def test_without_any_setting_it_is_said_how_to_begin(
    bare: Command, tmp_path: Path, command: tuple[str, ...]
) -> None:
    bare.environment["LKPS_CONFIG_DIR"] = str(tmp_path)

    ran = await bare(*command)

    assert (ran.code, ran.out) == (4, "")
    assert "lkps login --url" in ran.err


async def test_an_application_without_an_lkps_names_what_is_missing(
    lkps: Command, service: LkpsStandIn
) -> None:
    del lkps.environment["LKPS_URL"], lkps.environment["AZURE_TENANT_ID"]

    ran = await lkps("whoami")

    assert ran.code == 2
    assert "--url (LKPS_URL), --tenant (AZURE_TENANT_ID)" in ran.err


async def test_options_win_over_the_environment_and_that_over_what_was_kept(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "whoami", whoami())
    url = lkps.environment.pop("LKPS_URL")
    lkps.environment["LKPS_URL"] = "https://nowhere.invalid"

    option = await lkps("login", "--url", url)
    del lkps.environment["LKPS_URL"]
    kept = await lkps("whoami")
    lkps.environment["LKPS_URL"] = "http://plain.example"
    over = await lkps("whoami")

    assert (option.code, kept.code) == (0, 0), option.err + kept.err
    assert over.code == 2
    assert "LKPS_URL must be an https:// address" in over.err


async def test_an_address_without_tls_is_refused_before_anybody_signs_in(
    environment: dict[str, str], where: tuple[str, ...], folder: Path
) -> None:
    ran = await run(environment, "login", *where, "--url", "http://lkps.example", *ALICE)

    assert ran.code == 2
    assert "https://" in ran.err
    assert not (folder / "tokens.bin").exists()


async def test_a_folder_that_cannot_be_written_is_named(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    lkps.environment["LKPS_CONFIG_DIR"] = str(tmp_path / "file" / "config")

    for command in (("login",), ("logout",)):
        ran = await lkps(*command)

        assert ran.code == 2
        assert f"{tmp_path}/file/config: Not a directory" in ran.err
        assert "LKPS_CONFIG_DIR" in ran.err


async def test_a_profile_of_another_version_is_none(bare: Command, tmp_path: Path) -> None:
    bare.environment["LKPS_CONFIG_DIR"] = str(tmp_path)
    for content in ("{", "[]", '{"of_tomorrow": 1}'):
        (tmp_path / "profile.json").write_text(content)

        assert (await bare("whoami")).code == 4


async def test_a_livekit_key_in_an_administrators_environment_is_none_of_its_business(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "whoami", whoami())
    lkps.environment["LIVEKIT_API_KEY"] = "a-key"

    assert (await lkps("whoami")).code == 0


async def test_the_platforms_folder_is_used_where_no_other_is_named(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    service.answers_with("GET", "whoami", whoami())
    del lkps.environment["LKPS_CONFIG_DIR"]
    lkps.environment["XDG_CONFIG_HOME"] = str(tmp_path / "xdg")

    await lkps("login")

    assert (tmp_path / "xdg/lkps/profile.json").exists()
