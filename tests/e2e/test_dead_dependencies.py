"""A dependency that dies or hangs: clear answers in time, nothing left, back by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio

from dev.platform import Part, Platform, running
from dev.platform.ports import is_answering
from tests.e2e.parts.lkps import Answer, Lkps, calling
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.waiting import eventually

IN_TIME = 6.0
AGENT = "survivor"

STORAGE_CODES = {"storage_unavailable", "audit_unavailable"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncIterator[Platform]:
    """One with tables that outlive their server, an agent in them, and parts that may die."""
    settings = {"LKPS_RENEW_SECONDS": "600"}
    async with running(settings=settings, persistent=True) as platform:
        async with calling(platform) as lkps:
            await lkps.set_limits(starts_per_minute_per_application=100_000)
            await lkps.register(AGENT)
            await lkps.start(AGENT)
        await eventually(lambda: _is_on_disk(platform))
        yield platform


@dataclass(frozen=True)
class Held:
    """A session and a registration from before the outage."""

    session_id: str
    registration_id: str
    renewal: Mapping[str, object]


@pytest.fixture
async def held(lkps: Lkps) -> Held:
    """With all that a start reads just read, so that the outage meets its effects."""
    for who in ("agent", "client", "auditor"):
        await lkps.access_token(who)
    await eventually(lambda: _starts(lkps))
    registered = await lkps.register(AGENT)
    started = await lkps.start(AGENT)
    renewal = {
        "token_expires_at": registered["expires_at"],
        "routing_version": registered["routing_version"],
    }
    return Held(started["session_id"], registered["registration_id"], renewal)


@pytest.mark.parametrize("how", ["killed", "hanging"])
async def test_without_livekit_sessions_are_unavailable_and_agents_go_on(
    platform: Platform, lkps: Lkps, rooms: Rooms, tables: Tables, held: Held, how: str
) -> None:
    before = await _abandoned(tables)
    async with _away(platform.livekit, how):
        start, show, end, register, renew = await asyncio.gather(
            _in_time(lkps.start(AGENT)),
            _in_time(lkps.show(held.session_id)),
            _in_time(lkps.end(held.session_id)),
            _in_time(lkps.register(AGENT)),
            _in_time(_renew(lkps, held)),
        )
        ready = await _in_time(_not_ready(lkps))

    for answer in (start, show, end):
        _require_unavailable(answer, {"livekit_unavailable"})
    assert [register.status, renew.status] == [200, 200]
    assert ready
    await _require_recovered(lkps)
    session_id = await _undone(tables, before)
    await eventually(lambda: _is_gone(rooms, session_id))  # a woken LiveKit makes it late
    assert (await lkps.end(held.session_id))["state"] == "ended"


@pytest.mark.parametrize("how", ["killed", "hanging"])
async def test_without_tables_nothing_is_promised_and_rooms_are_taken_back(
    platform: Platform, lkps: Lkps, rooms: Rooms, tables: Tables, held: Held, how: str
) -> None:
    before = await _abandoned(tables)
    async with _away(platform.azurite, how):
        answers = await asyncio.gather(
            _in_time(lkps.start(AGENT)),
            _in_time(lkps.show(held.session_id)),
            _in_time(lkps.end(held.session_id)),
            _in_time(lkps.register(AGENT)),
            _in_time(lkps.register("a-new-name")),
            _in_time(_renew(lkps, held)),
            _in_time(lkps.call("auditor", "POST", "session/start", {"agent_name": AGENT})),
        )
        unauthenticated = await _in_time(lkps.send("POST", "session/start"))
        ready = await _in_time(_not_ready(lkps))

    for answer in answers:
        _require_unavailable(answer, STORAGE_CODES)
    assert unauthenticated.status == 401
    assert ready
    await _require_recovered(lkps)
    session_id = await _undone(tables, before)
    assert f"local--{session_id}" not in await rooms.names()


@pytest.mark.parametrize("how", ["killed", "hanging"])
@pytest.mark.parametrize("part", ["livekit", "azurite"])
async def test_a_start_repeated_after_the_outage_is_one_session(
    platform: Platform, lkps: Lkps, rooms: Rooms, tables: Tables, held: Held, part: str, how: str
) -> None:
    key = f"{part}-{how}"
    async with _away(getattr(platform, part), how):
        refused = await _in_time(lkps.start(AGENT, key=key))
    answers: list[Answer] = []

    async def started() -> bool:
        answers.append(await lkps.start(AGENT, key=key))
        return answers[-1].status == 200

    await eventually(started, 40)

    _require_unavailable(refused, {"livekit_unavailable", *STORAGE_CODES})
    assert {answer.status for answer in answers} <= {200, 409, 503}
    session_id, room_name = answers[-1]["session_id"], answers[-1]["room_name"]
    rows = {row["id"]: row["state"] for row in await tables.sessions(AGENT)}
    assert rows[session_id] == "open"
    await eventually(lambda: _stands(rooms, room_name))  # it may have gone in the same moment
    assert len(await rooms.dispatches(room_name)) == 1
    recorded = await tables.trail(session_id=session_id, action="session.authorized")
    assert answers[-1].token_sha256 in {row["token_sha256"] for row in recorded}


@pytest.mark.parametrize("how", ["killed", "hanging"])
async def test_with_keys_held_the_tenants_absence_changes_nothing(
    platform: Platform, lkps: Lkps, held: Held, how: str
) -> None:
    async with _away(platform.tenant, how):
        answers = await asyncio.gather(
            _in_time(lkps.start(AGENT)),
            _in_time(lkps.register(AGENT)),
            _in_time(_renew(lkps, held)),
        )

    assert [answer.status for answer in answers] == [200, 200, 200]


@pytest.mark.parametrize("how", ["killed", "hanging"])
async def test_with_no_key_held_the_tenants_absence_is_told_and_passes(
    platform: Platform, lkps: Lkps, held: Held, how: str
) -> None:
    service = platform.new_service({})
    fresh = lkps.at(service.url)
    try:
        async with _away(platform.tenant, how):
            service.launch()
            await eventually(lambda: is_answering(service.port))
            answers = await asyncio.gather(
                _in_time(fresh.start(AGENT)), _in_time(fresh.register(AGENT))
            )
            live = await fresh.send("GET", "health/live")
        await _require_recovered(fresh)
    finally:
        await service.dispose()

    for answer in answers:
        _require_unavailable(answer, {"keys_unavailable"})
    assert live.status == 200


@asynccontextmanager
async def _away(part: Part, how: str) -> AsyncIterator[None]:
    if how == "killed":
        await part.kill()
    else:
        part.pause()
    try:
        yield
    finally:
        if how == "killed":
            await part.start()
        else:
            part.resume()


async def _in_time[T](answer: Awaitable[T]) -> T:
    async with asyncio.timeout(IN_TIME):
        return await answer


async def _renew(lkps: Lkps, held: Held) -> Answer:
    path = f"agent/registrations/{held.registration_id}/renew"
    return await lkps.call("agent", "POST", path, held.renewal)


async def _starts(lkps: Lkps) -> bool:
    return (await lkps.start(AGENT)).status == 200


async def _not_ready(lkps: Lkps) -> bool:
    """What is known of the dependencies may be five seconds old."""

    async def told() -> bool:
        return (await lkps.send("GET", "health/ready")).status == 503

    await eventually(told)
    return (await lkps.send("GET", "health/live")).status == 200


def _require_unavailable(answer: Answer, codes: set[str]) -> None:
    assert answer.status == 503, answer.body
    assert answer.code in codes
    assert int(answer.headers["Retry-After"]) > 0
    assert b"eyJ" not in answer.body


async def _require_recovered(lkps: Lkps) -> None:
    """Without anybody doing anything about the service."""
    codes: list[str | None] = []

    async def works() -> bool:
        answers = await asyncio.gather(lkps.start(AGENT), lkps.register(AGENT))
        codes.extend(answer.code for answer in answers)
        return {answer.status for answer in answers} == {200}

    try:
        await eventually(works, 15)
    except AssertionError as error:
        raise AssertionError(codes[-2:]) from error
    await eventually(lambda: _ready(lkps), 15)


async def _ready(lkps: Lkps) -> bool:
    return (await lkps.send("GET", "health/ready")).status == 200


async def _abandoned(tables: Tables) -> set[str]:
    rows = await tables.trail(agent_name=AGENT, action="session.abandoned")
    return {row["session_id"] for row in rows}


async def _undone(tables: Tables, before: set[str]) -> str:
    """The session whose start failed, once the trail says so: of its row nothing is left then."""

    async def told() -> bool:
        return bool(await _abandoned(tables) - before)

    await eventually(told, 40)
    (session_id,) = await _abandoned(tables) - before
    assert session_id not in {row["id"] for row in await tables.sessions(AGENT)}
    return session_id


async def _stands(rooms: Rooms, room_name: str) -> bool:
    return room_name in await rooms.names()


async def _is_gone(rooms: Rooms, session_id: str) -> bool:
    return f"local--{session_id}" not in await rooms.names()


def _is_on_disk(platform: Platform) -> bool:
    """Azurite writes its tables down every few seconds; what it has not is lost with it."""
    file = platform.azurite._command.directory / "__azurite_db_table__.json"
    return file.exists() and f'"{AGENT}"' in file.read_text()
