"""LKPS finds out on the real LiveKit server whether it is set up as it must be."""

from dev.platform import Platform, running
from tests.e2e.parts.lkps import Lkps, calling
from tests.e2e.parts.rooms import Rooms


async def test_the_platform_makes_no_rooms_for_who_joins_and_hears_livekits_events(
    lkps: Lkps, rooms: Rooms
) -> None:
    checked = await lkps.call("admin", "POST", "platform/check")

    assert checked["auto_create"] is False
    assert 0 <= checked["webhook_seconds"] < 5
    assert [name for name in await rooms.names() if "lkps-check" in name] == []


async def test_another_process_than_the_one_that_is_told_learns_of_it(
    platform: Platform, lkps: Lkps
) -> None:
    async with platform.service_process() as other:
        checked = await lkps.at(other.url).call("admin", "POST", "platform/check")

    assert checked["webhook_seconds"] < 5


async def test_a_livekit_that_tells_somebody_else_is_found_out() -> None:
    async with running(webhook="http://127.0.0.1:9/") as platform, calling(platform) as lkps:
        checked = await lkps.call("admin", "POST", "platform/check")

    assert checked.status == 200
    assert "webhook_seconds" not in checked.json


async def test_whoever_may_do_anything_is_told_where_livekit_is(
    platform: Platform, lkps: Lkps
) -> None:
    for who in ("agent", "client", "admin"):
        assert (await lkps.call(who, "GET", "whoami"))["livekit_url"] == platform.livekit_url
