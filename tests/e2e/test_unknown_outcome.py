"""An answer that is lost after the work was done is an unknown outcome, and is treated as one."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio

from dev.platform import Platform
from dev.platform.ports import HOST, Ports
from tests.e2e.parts.gateway import Gateway, Loss, forwarding
from tests.e2e.parts.lkps import Answer, Lkps, new_agent_name
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.waiting import eventually

CREATE_ROOM = "/twirp/livekit.RoomService/CreateRoom"
DELETE_ROOM = "/twirp/livekit.RoomService/DeleteRoom"


@dataclass
class Losing:
    """Loses the answers of the next so many requests of that method whose path holds that text."""

    gateway: Gateway

    def next(self, method: str, text: str, loss: Loss, times: int = 1) -> None:
        left = [loss] * times

        def lose(asked: str, path: str) -> Loss | None:
            return left.pop() if left and asked == method and text in path else None

        self.gateway.lose = lose

    @property
    def lost(self) -> int:
        return len(self.gateway.lost)


@dataclass(frozen=True)
class Remote:
    """A process of the service whose way to the tables and to LiveKit loses answers."""

    lkps: Lkps
    tables: Losing
    livekit: Losing


@dataclass(frozen=True)
class Route:
    """The service's address, and the ports at which it believes Azurite and LiveKit to be."""

    url: str
    tables: int
    livekit: int

    @asynccontextmanager
    async def open(self, platform: Platform) -> AsyncIterator[tuple[Losing, Losing]]:
        livekit = platform.livekit_url.replace("ws://", "http://")
        async with (
            forwarding(f"http://{HOST}:{platform.azurite.port}", self.tables) as tables,
            forwarding(livekit, self.livekit) as rooms,
        ):
            yield Losing(tables), Losing(rooms)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def route(platform: Platform) -> AsyncIterator[Route]:
    """One process for all tests here: each opens the way to its dependencies for itself."""
    ports = Ports()
    tables, livekit = ports.free(), ports.free()
    connection = platform.azurite.connection_string
    service = platform.new_service(
        {
            "LKPS_TABLES_CONNECTION_STRING": connection.replace(
                f":{platform.azurite.port}", f":{tables}"
            ),
            "LKPS_LIVEKIT_API_URL": f"http://{HOST}:{livekit}",
        }
    )
    route = Route(service.url, tables, livekit)
    try:
        async with route.open(platform):
            await service.start()
        yield route
    finally:
        await service.dispose()


@pytest.fixture
async def remote(platform: Platform, route: Route, lkps: Lkps) -> AsyncIterator[Remote]:
    async with route.open(platform) as (tables, livekit):
        yield Remote(lkps.at(route.url), tables, livekit)


@pytest.mark.parametrize("loss", ["cut", "hang"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("table", ["sessions", "audit"])
async def test_a_start_whose_rows_answer_is_lost_is_one_session_or_none(
    remote: Remote,
    rooms: Rooms,
    tables: Tables,
    agent_name: str,
    table: str,
    times: int,
    loss: Loss,
) -> None:
    key = str(uuid.uuid4())
    await remote.lkps.register(agent_name)

    remote.tables.next("POST", f"/{table}", loss, times)
    first = await remote.lkps.start(agent_name, key=key)
    assert remote.tables.lost >= 1
    answers = await _until_started(remote.lkps, agent_name, key)

    assert first.status in (200, 503), first.body
    await _require_one_session(rooms, tables, agent_name, [first, *answers])
    await tables.require_gapless_streams()


async def test_a_cut_answer_is_asked_for_again_and_the_caller_never_knows(
    remote: Remote, rooms: Rooms, tables: Tables, agent_name: str
) -> None:
    await remote.lkps.register(agent_name)

    for number, table in enumerate(("sessions", "audit"), 1):
        remote.tables.next("POST", f"/{table}", "cut")
        assert (await remote.lkps.start(agent_name)).status == 200
        assert remote.tables.lost == number

    assert len(await tables.sessions(agent_name)) == 2
    assert len(await rooms.of_agent(agent_name)) == 2
    assert len(await tables.trail(agent_name=agent_name, action="session.authorized")) == 2
    await tables.require_gapless_streams()


async def test_while_the_tables_are_throttled_there_is_no_token_and_then_there_is(
    remote: Remote, tables: Tables, agent_name: str
) -> None:
    await remote.lkps.register(agent_name)
    before = await remote.lkps.start(agent_name)

    remote.tables.gateway.is_busy = True
    refused = [await remote.lkps.start(agent_name) for _ in range(3)]
    remote.tables.gateway.is_busy = False
    after = await _until_started(remote.lkps, agent_name, str(uuid.uuid4()))

    assert {answer.status for answer in refused} == {503}
    assert {answer.code for answer in refused} <= {"storage_unavailable", "audit_unavailable"}
    assert all("Retry-After" in answer.headers for answer in refused)
    recorded = {row.get("token_sha256") for row in await tables.trail(agent_name=agent_name)}
    assert {one.token_sha256 for one in (before, after[-1])} <= recorded
    await tables.require_gapless_streams()


@pytest.mark.parametrize("loss", ["cut", "hang"])
@pytest.mark.parametrize("table", ["agents", "registrations", "audit"])
async def test_a_registration_whose_rows_answer_is_lost_leaves_no_second(
    remote: Remote, tables: Tables, table: str, loss: Loss
) -> None:
    name = new_agent_name()

    remote.tables.next("POST", f"/{table}", loss)
    first = await remote.lkps.register(name)
    assert remote.tables.lost == 1
    second = await remote.lkps.register(name)

    assert first.status in (200, 503), first.body
    answered = {answer["registration_id"] for answer in (first, second) if answer.status == 200}
    assert second["registration_id"] in answered
    await eventually(lambda: _are_registered(tables, name, answered))
    assert len(await tables.trail(agent_name=name, action="agent.claimed")) == 1
    await tables.require_gapless_streams()


@pytest.mark.parametrize("loss", ["cut", "hang"])
async def test_a_renewal_and_a_farewell_whose_answers_are_lost_can_be_repeated(
    remote: Remote, tables: Tables, agent_name: str, loss: Loss
) -> None:
    registered = await remote.lkps.register(agent_name)
    path = f"agent/registrations/{registered['registration_id']}"
    held = {"token_expires_at": registered["expires_at"], "routing_version": 1}

    remote.tables.next("PUT", "/registrations", loss)
    renewed = await remote.lkps.call("agent", "POST", f"{path}/renew", held)
    again = await remote.lkps.call("agent", "POST", f"{path}/renew", held)
    remote.tables.next("DELETE", "/registrations", loss)
    gone = await remote.lkps.call("agent", "DELETE", path)
    twice = await remote.lkps.call("agent", "DELETE", path)

    assert remote.tables.lost == 2
    assert renewed.status in (200, 503), renewed.body
    assert again.status == 200, again.body
    assert gone.status in (204, 503), gone.body
    assert twice.status == 404, twice.body
    assert await tables.registrations(agent_name) == []


@pytest.mark.parametrize("loss", ["cut", "hang"])
async def test_an_end_whose_answer_is_lost_can_be_repeated(
    remote: Remote, rooms: Rooms, tables: Tables, agent_name: str, loss: Loss
) -> None:
    await remote.lkps.register(agent_name)
    for losing, method, text in (
        (remote.tables, "PUT", "/sessions"),
        (remote.livekit, "POST", DELETE_ROOM),
    ):
        started = await remote.lkps.start(agent_name)
        losing.next(method, text, loss)
        ended = await remote.lkps.end(started["session_id"])
        again = await remote.lkps.end(started["session_id"])

        assert losing.lost == 1
        assert ended.status in (200, 503), ended.body
        assert again["state"] == "ended"

    assert await rooms.of_agent(agent_name) == set()
    assert {row["state"] for row in await tables.sessions(agent_name)} == {"ended"}


@pytest.mark.parametrize("loss", ["cut", "hang"])
async def test_a_room_whose_making_was_not_answered_is_taken_back(
    remote: Remote, rooms: Rooms, tables: Tables, agent_name: str, loss: Loss
) -> None:
    await remote.lkps.register(agent_name)

    remote.livekit.next("POST", CREATE_ROOM, loss)
    refused = await remote.lkps.start(agent_name)

    assert remote.livekit.lost == 1
    assert (refused.status, refused.code) == (503, "livekit_unavailable")
    await eventually(lambda: _is_abandoned(tables, agent_name))
    assert await rooms.of_agent(agent_name) == set()
    assert await tables.sessions(agent_name) == []


async def test_a_room_that_livekit_makes_late_is_taken_back(
    remote: Remote, rooms: Rooms, tables: Tables, agent_name: str
) -> None:
    """As when LiveKit hangs for longer than anyone waits, and then does all that it was asked."""
    await remote.lkps.register(agent_name)

    remote.livekit.gateway.delay(CREATE_ROOM, until=DELETE_ROOM, about=agent_name)
    refused = await remote.lkps.start(agent_name)
    await eventually(lambda: _is_abandoned(tables, agent_name))
    await remote.livekit.gateway.all_is_done()

    assert refused.status == 503
    await eventually(lambda: _has_no_room(rooms, agent_name), 10)


async def _until_started(lkps: Lkps, agent_name: str, key: str) -> list[Answer]:
    answers: list[Answer] = []

    async def started() -> bool:
        answers.append(await lkps.start(agent_name, key=key))
        return answers[-1].status == 200

    await eventually(started)
    assert {answer.status for answer in answers} <= {200, 409, 503}
    return answers


async def _require_one_session(
    rooms: Rooms, tables: Tables, agent_name: str, answers: list[Answer]
) -> None:
    started = [answer for answer in answers if answer.status == 200]
    (room_name,) = {answer["room_name"] for answer in started}
    (row,) = await tables.sessions(agent_name)
    assert (row["room_name"], row["state"]) == (room_name, "open")
    assert await rooms.of_agent(agent_name) == {room_name}
    assert len(await rooms.dispatches(room_name)) == 1
    recorded = await tables.trail(agent_name=agent_name, action="session.authorized")
    assert {one.token_sha256 for one in started} <= {row["token_sha256"] for row in recorded}


async def _are_registered(tables: Tables, agent_name: str, ids: set[str]) -> bool:
    return {row["id"] for row in await tables.registrations(agent_name)} == ids


async def _is_abandoned(tables: Tables, agent_name: str) -> bool:
    return len(await tables.trail(agent_name=agent_name, action="session.abandoned")) == 1


async def _has_no_room(rooms: Rooms, agent_name: str) -> bool:
    return await rooms.of_agent(agent_name) == set()
