"""What the parts and callers of the platform find in their environment, and what is written."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from dev.platform import Platform, running
from dev.platform.description import described
from dev.platform.overrides import SettingsMissing, plan_of
from lkps_core.settings import Settings

STRAY = {
    "LKPS_ENVIRONMENT": "prod",
    "LKPS_TENANT_ID": "of another",
    "LIVEKIT_API_KEY": "stray",
    "AZURE_CLIENT_SECRET": "stray",
    "REQUESTS_CA_BUNDLE": "/nowhere",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(app: Path) -> AsyncIterator[Platform]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in STRAY.items():
            environment.setenv(name, value)
        async with running(app=app, settings={"LKPS_RENEW_SECONDS": "2"}) as platform:
            yield platform


async def test_the_service_gets_settings_that_it_can_read(platform: Platform) -> None:
    settings = Settings.read(platform.settings)

    assert settings.environment == "local"
    assert settings.tenant_id == platform.tenant_id
    assert settings.api_client_id == platform.audience
    assert settings.livekit_url == platform.livekit_url
    assert settings.renew_seconds == 2
    assert settings.checkpoints_url == platform.azurite.checkpoints_url


def test_the_key_of_checkpoints_is_in_a_private_folder(platform: Platform) -> None:
    folder = Path(platform.settings["LKPS_CHECKPOINT_KEY"]).parent

    assert folder.stat().st_mode & 0o777 == 0o700


async def test_the_service_sees_no_variable_of_the_caller(platform: Platform) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{platform.lkps_url}/api/environment") as response,
    ):
        environment = await response.json(content_type=None)

    assert not {"LIVEKIT_API_KEY", "AZURE_CLIENT_SECRET", "REQUESTS_CA_BUNDLE"} & environment.keys()
    own = {name: value for name, value in environment.items() if name.startswith("LKPS_")}
    assert own == platform.settings


async def test_an_agent_has_its_own_identity_and_no_livekit_key(platform: Platform) -> None:
    environment = platform.agent_environment("agent")

    assert not [name for name in environment if "LIVEKIT" in name]
    assert platform.livekit.api_key.secret not in environment.values()
    assert environment["AZURE_CLIENT_ID"] == platform.identities["agent"].client_id
    trusted = ssl.create_default_context(cafile=environment["REQUESTS_CA_BUNDLE"])
    metadata = "v2.0/.well-known/openid-configuration"
    url = f"{environment['LKPS_AUTHORITY']}/{environment['AZURE_TENANT_ID']}/{metadata}"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=trusted) as response:
        assert response.status == 200


async def test_the_description_says_how_each_identity_gets_a_token(
    platform: Platform, tmp_path: Path
) -> None:
    path = tmp_path / "platform.json"
    with described(platform, path):
        mode = path.stat().st_mode & 0o777
        written = json.loads(path.read_text())
    answers = {
        name: await _ask(identity["token"]) for name, identity in written["identities"].items()
    }

    assert mode == 0o600
    assert written["lkps_url"] == platform.lkps_url
    assert written["livekit_url"] == platform.livekit_url
    assert written["authority"] == platform.authority
    assert (written["tenant_id"], written["audience"]) == (platform.tenant_id, platform.audience)
    assert written["public_clients"] == platform.tenant.description.public_clients
    assert written["groups"] == platform.tenant.description.groups
    assert written["identities"]["client"]["roles"] == ["LKPS.Client"]
    assert "Session.Start" in written["identities"]["alice"]["scopes"]
    assert all("access_token" in answer for answer in answers.values())
    assert {
        *("agent", "other-agent", "client", "other-client", "admin", "auditor"),
        *("manager", "crm-backend", "alice", "bob", "carol", "otto"),
        *("admin-person", "auditor-person"),
    } <= answers.keys()


def test_the_files_that_describe_a_platform_are_private_and_end_with_it(
    platform: Platform, tmp_path: Path
) -> None:
    with described(platform, tmp_path / "platform.json"):
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        core_tools = json.loads((tmp_path / "local.settings.json").read_text())

    assert modes == {"platform.json": 0o600, "local.settings.json": 0o600}
    assert core_tools["Values"].items() >= platform.settings.items()
    assert list(tmp_path.iterdir()) == []


async def test_nothing_secret_is_in_a_repr(platform: Platform) -> None:
    shown = f"{platform!r} {platform.livekit.api_key!r} {platform.parts!r}"

    assert platform.livekit.api_key.secret not in shown
    assert platform.settings["LKPS_SECRET"] not in shown


def test_every_lkps_variable_overrides_what_the_platform_would_set() -> None:
    plan = plan_of({"LKPS_RENEW_SECONDS": "5", "LKPS_PUBLIC_URL": "http://x", "HOME": "/"})

    assert plan.settings == {"LKPS_RENEW_SECONDS": "5", "LKPS_PUBLIC_URL": "http://x"}
    assert plan.parts == {"tenant", "azurite", "livekit", "service"}


def test_the_developers_platform_runs_its_timers() -> None:
    assert plan_of({}).timers


def test_other_tables_take_the_place_of_azurite() -> None:
    others = {
        "LKPS_TABLES_CONNECTION_STRING": "t",
        "LKPS_CHECKPOINTS_URL": "c",
        "LKPS_CHECKPOINT_KEY": "k",
    }

    assert plan_of(others).parts == {"tenant", "livekit", "service"}


def test_another_authority_takes_the_place_of_the_stand_in() -> None:
    others = {"LKPS_AUTHORITY": "a", "LKPS_TENANT_ID": "t", "LKPS_API_CLIENT_ID": "c"}

    assert plan_of(others).parts == {"azurite", "livekit", "service"}


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        (
            {"LKPS_AUTHORITY": "a"},
            "LKPS_AUTHORITY needs LKPS_TENANT_ID and LKPS_API_CLIENT_ID as well",
        ),
        (
            {"LKPS_AUTHORITY": "a", "LKPS_TENANT_ID": "t"},
            "LKPS_AUTHORITY needs LKPS_API_CLIENT_ID as well",
        ),
        (
            {"LKPS_LIVEKIT_URL": "ws://a", "LKPS_LIVEKIT_API_KEY": "k"},
            "LKPS_LIVEKIT_URL needs LKPS_LIVEKIT_API_SECRET as well",
        ),
        (
            {"LKPS_TABLES_ENDPOINT": "t"},
            "LKPS_TABLES_ENDPOINT needs LKPS_CHECKPOINTS_URL and LKPS_CHECKPOINT_KEY as well",
        ),
    ],
)
def test_what_an_override_makes_necessary_is_asked_for_in_one_line(
    environment: dict[str, str], problem: str
) -> None:
    with pytest.raises(SettingsMissing) as refused:
        plan_of(environment)

    assert str(refused.value) == problem


async def _ask(token: dict[str, object]) -> dict[str, object]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(str(token["endpoint"]), data=token["form"]) as response,
    ):
        answer: dict[str, object] = await response.json()
        return answer
