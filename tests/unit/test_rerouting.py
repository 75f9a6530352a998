"""A job that nobody took is sent again, by ways that are still open, until the agent is there."""

import pytest

from lkps_core.adapters.memory import MemoryRooms
from lkps_core.ports import Room
from lkps_core.sessions import rerouting
from lkps_core.sessions.rerouting import Way, see_to_one_agent


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerouting, "REROUTE_AFTER", 0.0)


@pytest.fixture
async def rooms() -> MemoryRooms:
    """One room, made while nobody listened."""
    rooms = MemoryRooms()
    await rooms.create(way(1).room)
    return rooms


def way(version: int) -> Way:
    return Way(version, Room("room", 60, "concierge", f"secret-{version}", ""))


WAYS = (way(2), way(1), way(2), way(1))


async def every(_: Way) -> bool:
    return True


def agents(rooms: MemoryRooms) -> int:
    return len(rooms.rooms["room"].participants)


@pytest.mark.parametrize("version", [1, 2])
async def test_the_worker_is_found_where_it_listens_and_only_one_comes(
    rooms: MemoryRooms, version: int
) -> None:
    rooms.workers.add(("concierge", f"secret-{version}"))
    await see_to_one_agent(rooms, WAYS, every)
    assert agents(rooms) == 1


async def test_each_way_is_tried_as_often_as_it_is_named_and_no_more(rooms: MemoryRooms) -> None:
    await see_to_one_agent(rooms, WAYS, every)
    assert rooms.calls.count("reroute") == len(WAYS)
    assert agents(rooms) == 0


async def test_a_way_that_an_emergency_closed_is_not_taken(rooms: MemoryRooms) -> None:
    rooms.workers.add(("concierge", "secret-1"))  # whoever stole the old secret

    async def only_the_new_one(tried: Way) -> bool:
        return tried.routing_version == 2

    await see_to_one_agent(rooms, WAYS, only_the_new_one)
    assert (agents(rooms), rooms.calls.count("reroute")) == (0, 2)


async def test_of_a_room_that_is_gone_nothing_is_sent(rooms: MemoryRooms) -> None:
    await rooms.delete("room")
    await see_to_one_agent(rooms, WAYS, every)
    assert rooms.calls.count("reroute") == 1
