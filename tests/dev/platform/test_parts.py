"""Each part can be killed, paused and started again in its place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest
import pytest_asyncio
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient

from dev.platform import PartFailed, Platform, running
from dev.platform.azurite import Azurite
from dev.platform.conditions import holds_within
from lkps_core.adapters.checkpoints import BlobCheckpoints


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(app: Path) -> AsyncIterator[Platform]:
    async with running(app=app) as platform:
        yield platform


async def answer(url: str, seconds: float = 5) -> int | None:
    """The status, or None when nobody answers."""
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return None


def http(platform: Platform) -> str:
    return platform.livekit_url.replace("ws://", "http://")


async def test_a_killed_part_answers_no_more_until_it_is_started_on_the_same_port(
    platform: Platform,
) -> None:
    address, pid = http(platform), platform.livekit.pid

    await platform.livekit.kill()
    while_dead = await answer(address)
    await platform.livekit.start()

    assert while_dead is None
    assert http(platform) == address
    assert await answer(address) == 200
    assert platform.livekit.pid != pid


async def test_a_paused_part_hangs_instead_of_refusing_and_answers_when_resumed(
    platform: Platform,
) -> None:
    platform.livekit.pause()
    try:
        with pytest.raises(TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.3)) as session,
                session.get(http(platform)),
            ):
                pass
    finally:
        platform.livekit.resume()

    assert await answer(http(platform)) == 200


async def test_a_paused_part_can_be_ended(platform: Platform) -> None:
    platform.livekit.pause()

    await platform.livekit.restart()

    assert await answer(http(platform)) == 200


async def test_a_restarted_tenant_has_the_same_ids_and_addresses(platform: Platform) -> None:
    before = platform.tenant.description

    await platform.tenant.kill()
    await platform.tenant.start()

    assert platform.tenant.description == before
    assert await platform.access_token("client")


async def test_a_restarted_service_is_ready_on_the_same_port(platform: Platform) -> None:
    url = platform.lkps_url

    await platform.service.restart()

    assert platform.lkps_url == url
    assert await answer(f"{url}/api/health/ready") == 200


async def test_a_second_process_of_the_service_shares_the_settings_and_ends_with_its_block(
    platform: Platform,
) -> None:
    async with (
        platform.service_process({"LKPS_RENEW_SECONDS": "1"}) as second,
        aiohttp.ClientSession() as session,
    ):
        url = second.url
        environment = await (await session.get(f"{url}/api/environment")).json(content_type=None)

    assert url != platform.lkps_url
    assert environment["LKPS_SECRET"] == platform.settings["LKPS_SECRET"]
    assert environment["LKPS_RENEW_SECONDS"] == "1"
    assert await answer(f"{url}/api/health/ready") is None


async def test_every_part_listens_on_loopback_only(platform: Platform) -> None:
    listening = {
        connection.laddr.ip
        for part in platform.parts
        for connection in psutil.Process(part.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN or not connection.raddr
    }

    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize("persistent", [True, False])
async def test_tables_and_blobs_outlive_a_restart_of_azurite_only_when_they_are_persistent(
    *, persistent: bool
) -> None:
    async with running("azurite", persistent=persistent) as platform, _blobs(platform) as blobs:
        await _write(platform.azurite)
        await blobs.add(1, b"kept")

        await platform.azurite.restart()

        assert _is_there(platform.azurite) == persistent
        assert await blobs.get(1) == (b"kept" if persistent else None)


async def test_a_timer_that_is_fired_has_run_when_that_returns(platform: Platform) -> None:
    before = await _ticks(platform)

    await platform.service.fire("tick")

    assert await _ticks(platform) == before + 1


@pytest.mark.parametrize(("name", "told"), [("broken", "no such moon"), ("nobody", "404")])
async def test_a_timer_that_fails_or_is_not_there_says_so(
    name: str, told: str, platform: Platform
) -> None:
    with pytest.raises(PartFailed, match=rf"service failed the timer {name} \(.*{told}"):
        await platform.service.fire(name)


async def test_no_timer_is_fired_of_a_service_that_is_down(platform: Platform) -> None:
    async with platform.service_process() as service:
        pass

    with pytest.raises(PartFailed, match="did not tell how the timer tick ran"):
        await service.fire("tick")


async def test_timers_run_on_their_schedules_where_that_is_asked_for(
    app: Path, platform: Platform
) -> None:
    before = await _ticks(platform)

    async def has_ticked_twice() -> bool:
        return await _ticks(scheduled) >= 2

    async with running(app=app, timers=True) as scheduled:
        assert await holds_within(10, has_ticked_twice)

    assert await _ticks(platform) == before


async def test_a_part_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text("raise ValueError('no such moon')")

    with pytest.raises(PartFailed, match=r"(?s)service ended.*no such moon"):
        async with running(app=tmp_path):
            pass


async def test_a_platform_of_some_parts_has_no_others() -> None:
    async with running("tenant") as platform:
        assert [part.name for part in platform.parts] == ["tenant"]
        with pytest.raises(LookupError, match="LiveKit"):
            _ = platform.livekit_url


async def _ticks(platform: Platform) -> int:
    url = f"{platform.lkps_url}/api/ticks"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return int(await response.text())


@asynccontextmanager
async def _blobs(platform: Platform) -> AsyncIterator[BlobCheckpoints]:
    azurite = platform.azurite
    blobs = BlobCheckpoints.from_connection_string(
        azurite.connection_string, azurite.checkpoints_url
    )
    yield blobs
    await blobs.close()


async def _write(azurite: Azurite) -> None:
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        table = service.create_table("kept")
        table.create_entity({"PartitionKey": "a", "RowKey": "b"})


def _is_there(azurite: Azurite) -> bool:
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        try:
            return bool(service.get_table_client("kept").get_entity("a", "b"))
        except ResourceNotFoundError:
            return False
