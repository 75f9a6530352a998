"""Which adapters the service runs on, and when."""

from typing import Any

import pytest

from lkps_core.adapters.livekit import LiveKitRooms
from lkps_core.adapters.tables import TableRows
from lkps_core.errors import Misconfigured
from lkps_core.wiring import Wired
from tests.builders.lkps import ENVIRONMENT

AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=account;AccountKey=c2VjcmV0;"
    "TableEndpoint=http://127.0.0.1:1/account;"
)
LOCAL = {
    **ENVIRONMENT,
    "LKPS_ENVIRONMENT": "local",
    "LKPS_TABLES_ENDPOINT": "",
    "LKPS_TABLES_CONNECTION_STRING": AZURITE,
}


@pytest.mark.parametrize("environment", [ENVIRONMENT, LOCAL], ids=["identity", "connection"])
async def test_the_service_runs_on_tables_and_livekit(environment: dict[str, str]) -> None:
    wired = Wired(environment)
    services = await wired()
    starting: Any = services.starting
    try:
        assert isinstance(starting._sessions, TableRows)
        assert isinstance(starting._rooms, LiveKitRooms)
    finally:
        await services.close()


async def test_it_is_made_once_and_kept() -> None:
    wired = Wired(LOCAL)
    services = await wired()
    try:
        assert await wired() is services
    finally:
        await services.close()


async def test_faults_of_the_settings_are_logged_by_name_and_told_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Misconfigured) as refused:
        await Wired({**LOCAL, "LKPS_SECRET": "not so secret"})()
    assert "LKPS" not in refused.value.detail
    (record,) = caplog.records
    assert record.__dict__["problems"] == ["LKPS_SECRET: must be base64"]


async def test_settings_that_were_mended_are_read_at_the_next_request() -> None:
    environment = {**LOCAL, "LKPS_SECRET": ""}
    wired = Wired(environment)
    with pytest.raises(Misconfigured):
        await wired()
    environment["LKPS_SECRET"] = LOCAL["LKPS_SECRET"]
    await (await wired()).close()


async def test_readiness_of_a_service_whose_parts_cannot_be_reached() -> None:
    unreachable = {
        **LOCAL,
        "LKPS_AUTHORITY": "http://127.0.0.1:1",
        "LKPS_LIVEKIT_API_URL": "http://127.0.0.1:1",
    }
    services = await Wired(unreachable)()
    try:
        readiness = await services.health.readiness()
    finally:
        await services.close()
    assert readiness.states == {
        "keys": "keys_unavailable",
        "livekit": "livekit_unavailable",
        "tables": "storage_unavailable",
    }


@pytest.mark.parametrize(
    "connection",
    ["nonsense", "AccountName=account", AZURITE.replace("AccountKey=c2VjcmV0;", "AccountKey=s;")],
)
async def test_a_connection_string_that_cannot_be_used_is_told_by_name(
    connection: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Misconfigured):
        await Wired({**LOCAL, "LKPS_TABLES_CONNECTION_STRING": connection})()
    assert caplog.messages == ["LKPS_TABLES_CONNECTION_STRING cannot be used"]
    assert connection not in caplog.text.replace("LKPS_TABLES_CONNECTION_STRING", "")


async def test_a_connection_string_without_a_key_cannot_be_used() -> None:
    by_signature = "TableEndpoint=http://127.0.0.1:1/account;SharedAccessSignature=sig"
    with pytest.raises(Misconfigured):
        await Wired({**LOCAL, "LKPS_TABLES_CONNECTION_STRING": by_signature})()
