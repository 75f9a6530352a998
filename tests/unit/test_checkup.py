"""What LKPS finds out about LiveKit's set-up, with a room that is gone at once."""

import asyncio
import json

import pytest

from lkps_core import checkup
from tests.builders.events import event, signature
from tests.builders.lkps import ADMIN, AGENT, CLIENT, MANAGER, Lkps
from tests.sdk.parts.waiting import eventually


async def tell(lkps: Lkps, room: str, news: str = "room_finished") -> int:
    told = event(news, room, lkps.clock.now)
    by = signature(json.dumps(told).encode(), lkps.clock.now)
    return (await lkps.send("POST", "livekit/webhook", told, by=by)).status


def made(lkps: Lkps) -> list[str]:
    return lkps.rooms.made


async def test_a_server_as_it_should_be_makes_no_rooms_and_tells_of_their_end(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "WAIT_SECONDS", 30)
    checking = asyncio.create_task(lkps.send("POST", "platform/check", by=ADMIN))
    await eventually(lambda: made(lkps) and not lkps.rooms.rooms)

    assert await tell(lkps.another_process(), made(lkps)[0]) == 200

    assert (await checking).json == {"auto_create": False, "webhook_seconds": 0.0}


async def test_a_server_that_makes_rooms_and_tells_nothing_is_found_out(lkps: Lkps) -> None:
    lkps.rooms.auto_create = True
    answer = await lkps.send("POST", "platform/check", by=ADMIN)
    assert (answer.status, answer.json) == (200, {"auto_create": True})
    assert lkps.rooms.rooms == {}


async def test_its_room_is_of_this_installation_and_of_no_agent_and_unguessable(
    lkps: Lkps,
) -> None:
    await lkps.send("POST", "platform/check", by=ADMIN)
    await lkps.send("POST", "platform/check", by=ADMIN)
    first, second = made(lkps)
    assert first != second
    assert first.startswith("test--lkps-check--")
    assert len(first.rpartition("--")[2]) == 26


@pytest.mark.parametrize("room", ["test--concierge--" + "a" * 26, "other--lkps-check--" + "a" * 26])
async def test_of_other_rooms_nothing_is_written_down(lkps: Lkps, room: str) -> None:
    assert await tell(lkps, room) == 200
    assert lkps.heard.calls == []


async def test_only_the_last_rooms_are_remembered_each_once(lkps: Lkps) -> None:
    rooms = [f"test--lkps-check--{letter * 26}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    for room in (*rooms, rooms[-1]):
        assert await tell(lkps, room) == 200
    (stored,) = lkps.heard._rows.values()
    assert stored.row.rooms == tuple(rooms[-20:])


async def test_many_that_are_told_at_once_are_all_remembered_or_told_again(lkps: Lkps) -> None:
    rooms = [f"test--lkps-check--{letter * 26}" for letter in "abcd"]
    assert await asyncio.gather(*(tell(lkps, room) for room in rooms)) == [200] * 4
    (stored,) = lkps.heard._rows.values()
    assert set(stored.row.rooms) == set(rooms)


@pytest.mark.parametrize("by", [AGENT, CLIENT, MANAGER])
async def test_it_is_for_admins(lkps: Lkps, by: str) -> None:
    answer = await lkps.send("POST", "platform/check", by=by)
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")
    assert made(lkps) == []


async def test_it_is_recorded_before_a_room_is_made(lkps: Lkps) -> None:
    lkps.trail.down = True
    assert (await lkps.send("POST", "platform/check", by=ADMIN)).status == 503
    assert made(lkps) == []


async def test_without_livekit_it_is_unavailable(lkps: Lkps) -> None:
    lkps.rooms.down = True
    answer = await lkps.send("POST", "platform/check", by=ADMIN)
    assert (answer.status, answer.json["code"]) == (503, "livekit_unavailable")
