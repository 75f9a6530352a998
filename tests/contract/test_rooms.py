"""The Rooms port: in memory and on a real livekit-server, the same."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit.api import LiveKitAPI
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import ListParticipantsResponse, ListRoomsRequest

from dev.platform import Platform
from lkps_core.adapters.livekit import LiveKitRooms
from lkps_core.adapters.memory import MemoryRooms
from lkps_core.errors import LiveKitUnavailable
from lkps_core.ports import Dispatch, Room, RoomParticipant, Rooms, RoomView

CALLS: Mapping[str, Callable[[Rooms], object]] = {
    "create": lambda rooms: rooms.create(room("any")),
    "delete": lambda rooms: rooms.delete("any"),
    "look": lambda rooms: rooms.look("any"),
    "remove": lambda rooms: rooms.remove("any", "somebody"),
    "jobs": lambda rooms: rooms.jobs("any"),
    "dispatch_anew": lambda rooms: rooms.dispatch_anew(Dispatch("any", "concierge", "other")),
    "all_standing": lambda rooms: rooms.all_standing(),
    "standing": lambda rooms: rooms.standing(["any"]),
    "reroute": lambda rooms: rooms.reroute(room("any")),
    "makes_what_is_joined": lambda rooms: rooms.makes_what_is_joined("any"),
    "ping": lambda rooms: rooms.ping(),
}


def room(name: str, *, metadata: str = "hello") -> Room:
    return Room(name, 360, "concierge", "routing-secret", metadata)


async def call(name: str, rooms: Rooms) -> None:
    asked = CALLS[name](rooms)
    assert asyncio.iscoroutine(asked)
    await asked


@pytest.fixture
async def livekit(platform: Platform) -> AsyncIterator[LiveKitRooms]:
    key = platform.livekit.api_key
    rooms = LiveKitRooms(platform.livekit.url, key.key, key.secret)
    yield rooms
    await rooms.close()


@pytest.fixture(params=["memory", "livekit"])
def rooms(request: pytest.FixtureRequest, livekit: LiveKitRooms) -> Rooms:
    return MemoryRooms() if request.param == "memory" else livekit


@pytest.fixture
async def server(platform: Platform) -> AsyncIterator[LiveKitAPI]:
    """The server asked beside the adapter."""
    key = platform.livekit.api_key
    api = LiveKitAPI(platform.livekit.url, key.key, key.secret)
    yield api
    await api.aclose()


@pytest.fixture
def name() -> str:
    return f"test--{uuid.uuid4().hex}"


async def test_the_rooms_that_stand_are_told_from_those_that_do_not(
    rooms: Rooms, name: str
) -> None:
    await rooms.create(room(name))
    assert await rooms.standing([name, f"{name}-other"]) == {name}
    assert await rooms.standing([]) == frozenset()
    (listed,) = [one for one in await rooms.all_standing() if one.name == name]
    assert abs(listed.created_at - datetime.now(UTC)) < timedelta(seconds=30)
    await rooms.delete(name)
    assert await rooms.standing([name]) == frozenset()


async def test_a_job_that_nobody_took_is_dispatched_anew_while_its_room_stands(
    rooms: Rooms, name: str
) -> None:
    assert not await rooms.reroute(room(name))
    await rooms.create(room(name))
    assert await rooms.reroute(room(name))
    await rooms.delete(name)
    assert not await rooms.reroute(room(name))


async def test_a_room_that_was_made_has_nobody_in_it(rooms: Rooms, name: str) -> None:
    assert await rooms.look(name) is None
    await rooms.create(room(name))
    assert await rooms.look(name) == RoomView()
    assert await rooms.jobs(name) == frozenset()


async def test_making_a_room_again_is_no_failure(rooms: Rooms, name: str) -> None:
    await rooms.create(room(name))
    await rooms.create(room(name, metadata="another"))
    assert await rooms.look(name) == RoomView()


async def test_a_room_that_was_ended_is_gone(
    livekit: LiveKitRooms, server: LiveKitAPI, name: str
) -> None:
    await livekit.create(room(name))
    await livekit.delete(name)
    assert not (await server.room.list_rooms(ListRoomsRequest(names=[name]))).rooms


async def test_ending_a_room_that_is_not_there_is_a_success(rooms: Rooms, name: str) -> None:
    await rooms.delete(name)


async def test_an_ended_room_can_be_made_anew(rooms: Rooms, name: str) -> None:
    await rooms.create(room(name))
    await rooms.delete(name)
    await rooms.create(room(name))
    assert await rooms.look(name) == RoomView()


async def test_a_server_that_answers_can_be_pinged(rooms: Rooms) -> None:
    await rooms.ping()


async def test_the_room_has_its_dispatch_inside(
    livekit: LiveKitRooms, server: LiveKitAPI, name: str
) -> None:
    await livekit.create(room(name))
    (dispatch,) = await server.agent_dispatch.list_dispatch(name)
    assert (dispatch.agent_name, dispatch.metadata) == ("concierge", "hello")
    assert dispatch.deployment == "routing-secret"
    (made,) = (await server.room.list_rooms(ListRoomsRequest(names=[name]))).rooms
    assert made.empty_timeout == 360


async def test_making_a_room_twice_dispatches_once(
    livekit: LiveKitRooms, server: LiveKitAPI, name: str
) -> None:
    await asyncio.gather(*(livekit.create(room(name, metadata=f"{n}")) for n in range(4)))
    assert len(await server.agent_dispatch.list_dispatch(name)) == 1


@pytest.mark.parametrize("asked", CALLS)
async def test_in_memory_livekit_can_be_down(asked: str) -> None:
    rooms = MemoryRooms()
    rooms.down = True
    with pytest.raises(LiveKitUnavailable):
        await call(asked, rooms)


@pytest.mark.parametrize("asked", CALLS)
async def test_a_server_that_hangs_is_unavailable_in_time_and_then_again_there(
    platform: Platform, livekit: LiveKitRooms, asked: str
) -> None:
    began = time.monotonic()
    platform.livekit.pause()
    try:
        with pytest.raises(LiveKitUnavailable) as refused:
            await call(asked, livekit)
    finally:
        platform.livekit.resume()
    assert time.monotonic() - began < 3
    assert refused.value.reason == "LiveKit did not answer in time"
    await livekit.ping()


@pytest.mark.parametrize("asked", CALLS)
async def test_a_server_that_is_not_there_is_unavailable_at_once(asked: str) -> None:
    rooms = LiveKitRooms("ws://127.0.0.1:1", "key", "secret" * 8)
    try:
        with pytest.raises(LiveKitUnavailable):
            await call(asked, rooms)
    finally:
        await rooms.close()


async def test_a_wrong_key_is_told_as_unavailable(platform: Platform) -> None:
    rooms = LiveKitRooms(platform.livekit.url, platform.livekit.api_key.key, "wrong" * 8)
    try:
        for asked in CALLS:
            with pytest.raises(LiveKitUnavailable) as refused:
                await call(asked, rooms)
            assert "wrong" not in refused.value.reason
    finally:
        await rooms.close()


class Answering:
    """A server that gives one answer to everything."""

    def __init__(self, status: int, body: bytes, content_type: str) -> None:
        self._answer = status, body, content_type

    async def answer(self, _: web.Request) -> web.Response:
        status, body, content_type = self._answer
        return web.Response(status=status, body=body, content_type=content_type)

    async def ask(self, asked: Callable[[Rooms], object]) -> object:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        async with TestServer(app) as server:
            rooms = LiveKitRooms(str(server.make_url("/")), "key", "secret" * 8)
            try:
                asking = asked(rooms)
                assert asyncio.iscoroutine(asking)
                return await asking
            finally:
                await rooms.close()


@pytest.mark.parametrize("asked", CALLS)
@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (200, b"<html>a portal's page</html>", "text/html"),
        (502, b"<html>a gateway's page</html>", "text/html"),
        (500, b'{"code":"internal","msg":"x"}', "application/json"),
        (503, b"", "text/plain"),
        (401, b'{"code":"unauthenticated","msg":"x"}', "application/json"),
        (429, b'{"code":"resource_exhausted","msg":"x"}', "application/json"),
        (404, b"not a LiveKit server", "text/plain"),
        (500, b"[]", "application/json"),
        (500, b'"text"', "application/json"),
    ],
)
async def test_an_answer_that_is_none_of_livekits_is_unavailable(
    asked: str, status: int, body: bytes, content_type: str
) -> None:
    with pytest.raises(LiveKitUnavailable):
        await Answering(status, body, content_type).ask(CALLS[asked])


async def test_who_is_an_agent_is_told_by_livekit_and_not_by_a_name() -> None:
    listed = ListParticipantsResponse(
        participants=[
            ParticipantInfo(
                identity="agent-AJ_1", kind=ParticipantInfo.Kind.AGENT, joined_at_ms=1500
            ),
            ParticipantInfo(identity="agent-AJ_2", kind=ParticipantInfo.Kind.STANDARD, joined_at=2),
        ]
    )
    answering = Answering(200, listed.SerializeToString(), "application/protobuf")
    came = datetime.fromtimestamp(1.5, UTC)
    assert await answering.ask(CALLS["look"]) == RoomView(
        (
            RoomParticipant("agent-AJ_1", True, came),
            RoomParticipant("agent-AJ_2", False, datetime.fromtimestamp(2, UTC)),
        )
    )


GONE = {"delete": None, "remove": None, "jobs": frozenset[str](), "dispatch_anew": False}


@pytest.mark.parametrize(("asked", "answer"), GONE.items())
async def test_a_room_that_livekit_does_not_find_is_gone(asked: str, answer: object) -> None:
    not_found = Answering(404, b'{"code":"not_found","msg":"x"}', "application/json")
    assert await not_found.ask(CALLS[asked]) == answer


async def test_a_room_that_is_none_is_not_made_by_who_joins_it_and_asking_makes_none(
    rooms: Rooms,
) -> None:
    name = f"check-{uuid.uuid4()}"
    assert not await rooms.makes_what_is_joined(name)
    assert await rooms.standing([name]) == frozenset()
    await rooms.create(room(name))
    assert await rooms.makes_what_is_joined(name)  # the very answer of a server that makes rooms
    await rooms.delete(name)
