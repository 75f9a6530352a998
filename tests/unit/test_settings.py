"""The environment as it is read: what is asked of it, and that all its faults are told at once."""

import pytest

from lkps_core.settings import Settings, SettingsError
from tests.builders.lkps import ENVIRONMENT

LOCAL = {**ENVIRONMENT, "LKPS_ENVIRONMENT": "local"}
PROD = {**ENVIRONMENT, "LKPS_ENVIRONMENT": "prod"}


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.read(environment)
    assert str(refused.value) == "; ".join(refused.value.problems)
    return refused.value.problems


def test_what_is_not_set_has_the_documented_default() -> None:
    settings = Settings.read(ENVIRONMENT)
    assert settings.authority == "https://login.microsoftonline.com"
    assert settings.livekit_api_url == settings.livekit_url
    assert settings.agent_names == "first-come"
    assert settings.require_agent is False
    assert settings.renew_seconds == 60
    assert settings.lease_seconds == 180
    assert settings.agent_token_seconds == 3600
    assert settings.participant_token_seconds == 300
    assert settings.session_max_seconds == 4 * 3600
    assert settings.tables_connection_string is None
    assert settings.audit_retention_days == 2557


def test_the_issuer_is_the_tenants_at_the_authority() -> None:
    settings = Settings.read(ENVIRONMENT)
    assert settings.issuer == f"https://login.microsoftonline.com/{settings.tenant_id}/v2.0"


def test_in_production_names_are_assigned() -> None:
    assert Settings.read(PROD).agent_names == "assigned"
    assert problems({**PROD, "LKPS_AGENT_NAMES": "first-come"}) == [
        "LKPS_AGENT_NAMES: must be assigned in prod"
    ]


def test_every_setting_that_is_missing_is_named_at_once() -> None:
    assert {line.partition(":")[0] for line in problems({})} == {
        "LKPS_ENVIRONMENT",
        "LKPS_INSTALLATION",
        "LKPS_TENANT_ID",
        "LKPS_API_CLIENT_ID",
        "LKPS_PUBLIC_URL",
        "LKPS_LIVEKIT_URL",
        "LKPS_LIVEKIT_API_KEY",
        "LKPS_LIVEKIT_API_SECRET",
        "LKPS_SECRET",
        "LKPS_TABLES_ENDPOINT",
        "LKPS_CHECKPOINTS_URL",
        "LKPS_CHECKPOINT_KEY",
    }


@pytest.mark.parametrize("name", [name for name in ENVIRONMENT if name != "LKPS_ALLOWED_ORIGINS"])
def test_a_setting_that_is_empty_is_missing(name: str) -> None:
    assert problems({**ENVIRONMENT, name: ""}) == [f"{name}: is not set"]


WRONG = [
    ("LKPS_ENVIRONMENT", "production"),
    ("LKPS_INSTALLATION", "two--hyphens"),
    ("LKPS_INSTALLATION", "Upper"),
    ("LKPS_INSTALLATION", "a" * 33),
    ("LKPS_TENANT_ID", "common"),
    ("LKPS_TENANT_ID", "contoso.onmicrosoft.com"),
    ("LKPS_API_CLIENT_ID", "api://lkps"),
    ("LKPS_AUTHORITY", "http://login.microsoftonline.com"),
    ("LKPS_PUBLIC_URL", "gateway.example"),
    ("LKPS_PUBLIC_URL", "http://gateway.example"),
    ("LKPS_PUBLIC_URL", "https://gateway.example?query"),
    ("LKPS_PUBLIC_URL", "https://gateway.example:port"),
    ("LKPS_PUBLIC_URL", "https://[gateway"),
    ("LKPS_PUBLIC_URL", "https://[gateway]"),
    ("LKPS_PUBLIC_URL", "https://user:password@gateway.example"),
    ("LKPS_PUBLIC_URL", "https://gate+way.example"),
    ("LKPS_PUBLIC_URL", "https://gate way.example"),
    ("LKPS_PUBLIC_URL", "https://gate\nway.example"),
    ("LKPS_PUBLIC_URL", "https://gate\u2003way.example"),
    ("LKPS_ALLOWED_ORIGINS", "*"),
    ("LKPS_ALLOWED_ORIGINS", "https://app.example/"),
    ("LKPS_ALLOWED_ORIGINS", "https://app.example/path"),
    ("LKPS_ALLOWED_ORIGINS", "https://app.example,app.example"),
    ("LKPS_ALLOWED_ORIGINS", "https://[app"),
    ("LKPS_LIVEKIT_URL", "https://livekit.example"),
    ("LKPS_LIVEKIT_URL", "ws://livekit.example"),
    ("LKPS_LIVEKIT_URL", "ws://8.8.8.8"),
    ("LKPS_LIVEKIT_API_URL", "ftp://livekit.example"),
    ("LKPS_LIVEKIT_API_SECRET", "a" * 31),
    ("LKPS_SECRET", "not base64"),
    ("LKPS_SECRET", "c2hvcnQ="),
    ("LKPS_TABLES_ENDPOINT", "account.table.core.windows.net"),
    ("LKPS_TABLES_ENDPOINT", "https://account.table.core.windows.net?sv=1&sig=secret"),
    ("LKPS_CHECKPOINTS_URL", "http://account.blob.core.windows.net/checkpoints"),
    ("LKPS_CHECKPOINTS_URL", "http://127.0.0.1:10000/checkpoints"),
    ("LKPS_CHECKPOINTS_URL", "https://account.blob.core.windows.net"),
    ("LKPS_CHECKPOINTS_URL", "https://account.blob.core.windows.net/checkpoints/folder"),
    ("LKPS_CHECKPOINTS_URL", "https://account.blob.core.windows.net/check--points"),
    ("LKPS_CHECKPOINTS_URL", "https://account.blob.core.windows.net/" + "a" * 64),
    ("LKPS_CHECKPOINTS_URL", "https://account.blob.core.windows.net/Checkpoints"),
    ("LKPS_CHECKPOINTS_URL", "https://account.blob.core.windows.net/checkpoints?sig=secret"),
    ("LKPS_CHECKPOINT_KEY", "checkpoint-key.pem"),
    ("LKPS_CHECKPOINT_KEY", "https://vault.vault.azure.net/keys/checkpoints"),
    ("LKPS_CHECKPOINT_KEY", f"https://vault.vault.azure.net/keys/checkpoints/{'g' * 32}"),
    ("LKPS_CHECKPOINT_KEY", f"https://vault.vault.azure.net/secrets/checkpoints/{'a' * 32}"),
    ("LKPS_CHECKPOINT_KEY", f"http://vault.vault.azure.net/keys/checkpoints/{'a' * 32}"),
    ("LKPS_AUDIT_RETENTION_DAYS", "0"),
    ("LKPS_AUDIT_RETENTION_DAYS", "36501"),
    ("LKPS_AUDIT_RETENTION_DAYS", "7y"),
    ("LKPS_AGENT_NAMES", "anyone"),
    ("LKPS_REQUIRE_AGENT", "True"),
    ("LKPS_RENEW_SECONDS", "0"),
    ("LKPS_RENEW_SECONDS", "601"),
    ("LKPS_RENEW_SECONDS", "1e2"),
    ("LKPS_RENEW_SECONDS", "\u0663"),
    ("LKPS_AGENT_TOKEN_SECONDS", "3601"),
    ("LKPS_AGENT_TOKEN_SECONDS", "1"),
    ("LKPS_PARTICIPANT_TOKEN_SECONDS", "601"),
    ("LKPS_PARTICIPANT_TOKEN_SECONDS", "9"),
    ("LKPS_SESSION_MAX_SECONDS", "59"),
    ("LKPS_SESSION_MAX_SECONDS", "86401"),
    ("LKPS_SESSION_MAX_SECONDS", "9" * 5000),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda text: text[:40])
def test_a_setting_that_cannot_be_used_is_told_by_name_and_not_by_value(
    name: str, value: str
) -> None:
    (told,) = problems({**ENVIRONMENT, name: value})
    assert told.startswith(f"{name}: ")
    assert len(value) == 1 or value not in told.removeprefix(f"{name}: ")
    assert "[gateway]" not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LKPS_LIVEKIT_URL", "ws://127.0.0.1:7880"),
        ("LKPS_LIVEKIT_URL", "ws://[::1]:7880"),
        ("LKPS_LIVEKIT_URL", "ws://10.0.0.7:7880"),
        ("LKPS_LIVEKIT_URL", "ws://livekit:7880"),
        ("LKPS_LIVEKIT_URL", "ws://livekit.internal"),
        ("LKPS_LIVEKIT_API_URL", "http://livekit:7880"),
        ("LKPS_PUBLIC_URL", "http://localhost:7071"),
        ("LKPS_TABLES_ENDPOINT", "http://127.0.0.1:10002/account"),
        ("LKPS_RENEW_SECONDS", "600"),
        ("LKPS_REQUIRE_AGENT", "true"),
    ],
)
def test_clear_text_is_in_order_within_a_private_network(name: str, value: str) -> None:
    Settings.read({**ENVIRONMENT, name: value})


def test_a_trailing_slash_is_not_part_of_an_address() -> None:
    settings = Settings.read({**ENVIRONMENT, "LKPS_PUBLIC_URL": "https://gateway.example/lkps/"})
    assert settings.public_url == "https://gateway.example/lkps"


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://gateway.example/lkps/", "gateway.example/test"),
        ("https://Gateway.example:8443", "gateway.example:8443/test"),
        ("http://[::1]:7071", "[::1]:7071/test"),
    ],
)
def test_the_trail_is_named_after_the_gateway_and_the_installation(
    public_url: str, origin: str
) -> None:
    assert Settings.read({**ENVIRONMENT, "LKPS_PUBLIC_URL": public_url}).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:10000/devstoreaccount1/checkpoints",
        "https://account.blob.core.windows.net/check-points-2",
    ],
)
def test_locally_checkpoints_may_be_in_azurite_and_their_key_is_in_a_file(url: str) -> None:
    environment = {**LOCAL, "LKPS_CHECKPOINT_KEY": "key.pem", "LKPS_CHECKPOINTS_URL": url}
    settings = Settings.read(environment)
    assert (settings.checkpoints_url, settings.checkpoint_key) == (url, "key.pem")


@pytest.mark.parametrize("days", [1, 36_500])
def test_the_trail_is_kept_for_a_day_at_least_and_a_century_at_most(days: int) -> None:
    settings = Settings.read({**ENVIRONMENT, "LKPS_AUDIT_RETENTION_DAYS": str(days)})
    assert settings.audit_retention_days == days


def test_origins_are_separated_by_commas() -> None:
    settings = Settings.read(
        {**ENVIRONMENT, "LKPS_ALLOWED_ORIGINS": "https://a.example, http://localhost:3000 ,"}
    )
    assert settings.allowed_origins == {"https://a.example", "http://localhost:3000"}


def test_identifiers_are_read_in_lower_case() -> None:
    name = "LKPS_API_CLIENT_ID"
    settings = Settings.read({**ENVIRONMENT, name: ENVIRONMENT[name].upper()})
    assert settings.api_client_id == ENVIRONMENT[name]


def test_a_connection_string_is_for_local_only() -> None:
    connection = {"LKPS_TABLES_CONNECTION_STRING": "AccountKey=secret"}
    assert Settings.read({**LOCAL, **connection}).tables_connection_string == "AccountKey=secret"
    (told,) = problems({**ENVIRONMENT, **connection})
    assert told.startswith("LKPS_TABLES_CONNECTION_STRING: ")
    assert "secret" not in told


def test_locally_a_connection_string_stands_for_the_endpoint() -> None:
    environment = {**LOCAL, "LKPS_TABLES_CONNECTION_STRING": "x", "LKPS_TABLES_ENDPOINT": ""}
    assert Settings.read(environment).tables_endpoint is None


def test_no_secret_is_in_the_repr_of_settings() -> None:
    connection = {"LKPS_TABLES_CONNECTION_STRING": "AccountKey=secret-connection"}
    settings = Settings.read({**LOCAL, **connection})
    shown = repr(settings)
    for secret in (settings.livekit_api_secret, repr(settings.secret), "secret-connection"):
        assert secret not in shown
