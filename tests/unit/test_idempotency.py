"""One Idempotency-Key, one session: whichever process is asked, however often, whenever."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkps_core.errors import LiveKitUnavailable
from tests.builders.lkps import ALICE, CLIENT, OTHER_CLIENT, Answered, Lkps, user
from tests.builders.stepping import SteppingRooms, SteppingSessions, SteppingTrail


@pytest.fixture
async def lkps() -> Lkps:
    lkps = Lkps()
    await lkps.register()
    return lkps


def stepping(lkps: Lkps, seed: int) -> tuple[Lkps, SteppingRooms, SteppingSessions]:
    """Another process, whose calls can be stopped."""
    rooms, sessions = SteppingRooms(lkps.rooms), SteppingSessions(lkps.sessions)
    process = replace(
        lkps, rooms=rooms, sessions=sessions, trail=SteppingTrail(lkps.trail), seed=seed
    )
    return process, rooms, sessions


async def test_a_repeated_start_answers_the_same_session_with_a_token_of_its_own(
    lkps: Lkps,
) -> None:
    one = (await lkps.start(key="one")).json
    lkps.clock.pass_by(30)
    again = (await lkps.another_process().start(key="one")).json
    assert again["participant_token"] != one["participant_token"]
    assert again["expires_at"] == "2026-03-14T09:32:23Z"
    for name in ("session_id", "room_name", "participant_identity", "server_url"):
        assert again[name] == one[name]
    assert len(lkps.rooms.rooms) == 1
    assert sum(len(room.participants) for room in lkps.rooms.rooms.values()) == 1


async def test_every_token_that_was_given_out_is_on_the_trail(lkps: Lkps) -> None:
    answers = []
    for _ in range(3):
        lkps.clock.pass_by(1)
        answers.append(await lkps.start(key="one"))
    rows = {row.get("token_sha256"): row for row in lkps.rows}
    for answer in answers:
        digest = hashlib.sha256(answer.json["participant_token"].encode()).hexdigest()
        assert rows[digest]["action"] == "session.authorized"
        assert rows[digest]["request_id"] == answer.headers["X-Request-ID"]


async def test_a_start_without_a_key_is_never_a_repeat(lkps: Lkps) -> None:
    ids = {(await lkps.start(key=key)).json["session_id"] for key in (None, None, "one", "two")}
    assert len(ids) == 4


@pytest.mark.parametrize(
    "by",
    [
        OTHER_CLIENT,
        ALICE,
        user("alice", "Session.Start", through="web"),
    ],
)
async def test_another_callers_key_is_another_key(lkps: Lkps, by: str) -> None:
    one = (await lkps.start(key="one")).json["session_id"]
    assert (await lkps.start(key="one", by=by)).json["session_id"] != one


async def test_one_person_with_two_applications_has_two_keys(lkps: Lkps) -> None:
    cli, web = (user("alice", "Session.Start", through=each) for each in ("cli", "web"))
    one = (await lkps.start(key="one", by=cli)).json["session_id"]
    assert (await lkps.start(key="one", by=web)).json["session_id"] != one


async def test_another_agents_key_is_another_key(lkps: Lkps) -> None:
    await lkps.register("other")
    one = (await lkps.start(key="one")).json["session_id"]
    answer = await lkps.start("other", key="one")
    assert answer.status == 200
    assert answer.json["session_id"] != one


@pytest.mark.parametrize(
    "body",
    [
        {"participant_name": "another"},
        {"participant_identity": "another"},
        {"participant_metadata": "another"},
        {"participant_attributes": {"ward": "7c"}},
        {"metadata": "another"},
    ],
)
async def test_a_key_with_another_body_is_refused(lkps: Lkps, body: dict[str, Any]) -> None:
    assert (await lkps.start(key="one")).status == 200
    before = {name: room.room for name, room in lkps.rooms.rooms.items()}
    answer = await lkps.start(key="one", **body)
    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert {name: room.room for name, room in lkps.rooms.rooms.items()} == before


async def test_a_repeat_may_wait_for_the_agent_as_long_as_it_likes() -> None:
    lkps = Lkps()
    await lkps.register()
    first = await lkps.start(key="one")
    again = await lkps.start(key="one", wait_for_agent=1)
    assert again.json["session_id"] == first.json["session_id"]


async def test_the_order_of_a_bodys_members_is_not_part_of_it(lkps: Lkps) -> None:
    first = b'{"agent_name":"concierge","participant_attributes":{"a":"1","b":"2"}}'
    second = b'{"participant_attributes": {"b":"2", "a":"1"}, "agent_name":"concierge"}'
    answers = [
        await lkps.send(
            "POST", "session/start", raw=raw, by=CLIENT, headers={"idempotency-key": "one"}
        )
        for raw in (first, second)
    ]
    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "ключ", "a" * 256, "a\x7f"])
async def test_a_key_that_is_not_visible_ascii_of_bounded_length_is_refused(
    lkps: Lkps, key: str
) -> None:
    answer = await lkps.start(key=key)
    assert (answer.status, answer.json["code"]) == (400, "header_invalid")
    assert lkps.rooms.rooms == {}


@pytest.mark.parametrize("key", ["a", "a" * 255, '"quoted"', "~!|"])
async def test_any_other_key_is_in_order(lkps: Lkps, key: str) -> None:
    assert (await lkps.start(key=key)).status == 200


async def test_one_start_at_two_processes_in_one_moment_is_one_session(lkps: Lkps) -> None:
    one, other = stepping(lkps, 1), stepping(lkps, 2)
    stops = [rows.steps.stop("add", "before") for _, _, rows in (one, other)]
    starts = [asyncio.create_task(each.start(key="one")) for each, _, _ in (one, other)]
    for stop in stops:
        await stop.reached.wait()
    for stop in stops:
        stop.release()
    answers = [await start for start in starts]
    assert [answer.status for answer in answers] == [200, 200]
    assert len({answer.json["session_id"] for answer in answers}) == 1
    assert [row["action"] for row in lkps.rows].count("session.authorized") == 3
    (room,) = lkps.rooms.rooms.values()
    assert len(room.participants) == 1


async def test_two_bodies_in_one_moment_are_one_session_and_one_refusal(lkps: Lkps) -> None:
    one, other = stepping(lkps, 1), stepping(lkps, 2)
    stops = [rows.steps.stop("add", "before") for _, _, rows in (one, other)]
    first = asyncio.create_task(one[0].start(key="one", metadata="first"))
    second = asyncio.create_task(other[0].start(key="one", metadata="second"))
    for stop in stops:
        await stop.reached.wait()
    stops[1].release()
    won = await second
    stops[0].release()
    lost = await first
    assert (won.status, lost.status) == (200, 422)
    assert lost.json["code"] == "idempotency_key_reused"
    assert len(lkps.rooms.rooms) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_start_that_failed_leaves_alone_the_session_that_another_joined(
    lkps: Lkps,
) -> None:
    failing, rooms, _ = stepping(lkps, 1)
    stop = rooms.steps.stop("create", "before")
    rooms.refuse("create")
    first = asyncio.create_task(failing.start(key="one"))
    await stop.reached.wait()
    joined = await lkps.start(key="one")
    rooms.steps.fail("create", LiveKitUnavailable(reason="late"), when="after")
    stop.release()
    lost = await first
    assert (joined.status, lost.status) == (200, 503)
    stored = await lkps.sessions.get("concierge", joined.json["session_id"])
    assert stored is not None
    assert stored.row.state == "open"
    assert joined.json["room_name"] in lkps.rooms.rooms


@pytest.mark.usefixtures("impatient")
async def test_a_start_while_a_failed_one_is_undone_gets_no_room_that_goes(lkps: Lkps) -> None:
    failing, rooms, _ = stepping(lkps, 1)
    rooms.lose("create")
    stop = rooms.steps.stop("delete", "before")
    failed = asyncio.create_task(failing.start(key="one"))
    await stop.reached.wait()
    answer = await lkps.start(key="one")
    assert (answer.status, answer.json["code"]) == (409, "edited_meanwhile")
    stop.release()
    assert (await failed).status == 503
    await failing.services.close()
    assert lkps.rooms.rooms == {}
    assert (await lkps.start(key="one")).status == 200
    assert len(lkps.rooms.rooms) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_start_whose_session_was_taken_back_meanwhile_leaves_no_room(lkps: Lkps) -> None:
    failing, rooms, _ = stepping(lkps, 1)
    failed_create = rooms.steps.stop("create", "before")
    rooms.refuse("create")
    rooms.steps.fail("create", LiveKitUnavailable(reason="never made"), when="after")
    late, late_rooms, _ = stepping(lkps, 2)
    first = asyncio.create_task(failing.start(key="one"))
    await failed_create.reached.wait()
    late_create = late_rooms.steps.stop("create", "before")
    second = asyncio.create_task(late.start(key="one"))
    await late_create.reached.wait()
    failed_create.release()
    assert (await first).status == 503
    late_create.release()
    answer = await second
    assert (answer.status, answer.json["code"]) == (409, "edited_meanwhile")
    assert lkps.rooms.rooms == {}


async def test_a_start_that_others_always_overtake_is_told_to_try_again(lkps: Lkps) -> None:
    await lkps.start(key="one")
    late, _, sessions = stepping(lkps, 1)

    async def overtake() -> None:
        for _ in range(2):  # after one, the row that both want to write would be the same
            assert (await lkps.start(key="one")).status == 200

    for _ in range(50):
        sessions.steps.once("replace", "before", overtake)
    answer = await late.start(key="one")
    assert (answer.status, answer.json["code"]) == (409, "edited_meanwhile")


JITTER = st.lists(st.integers(0, 4), max_size=60)


def unevenly(pauses: list[int], *ports: SteppingRooms | SteppingSessions | SteppingTrail) -> None:
    """Each call of these ports takes a drawn number of turns, before and after its effect."""
    turns: Iterator[int] = chain(pauses, repeat(0))

    async def wait() -> None:
        for _ in range(next(turns)):
            await asyncio.sleep(0)

    for port in ports:
        port.steps.always = wait


async def race(pauses: list[list[int]], failing: int, ends: int) -> tuple[Lkps, list[Answered]]:
    """Starts of one key, each at a process of its own; one may fail, and one session may end."""
    lkps = Lkps()
    await lkps.register()
    processes = []
    for seed, each in enumerate(pauses, 1):
        process, rooms, sessions = stepping(lkps, seed)
        trail = SteppingTrail(lkps.trail)
        process = replace(process, trail=trail)
        if seed == failing:
            rooms.lose("create")
        unevenly(each, rooms, sessions, trail)
        processes.append(process)

    async def ended() -> Answered:
        for _ in range(ends):
            await asyncio.sleep(0)
        (place, *_) = [*lkps.sessions._rows, ("concierge", "concierge--" + "a" * 26)]
        return await lkps.send("POST", f"session/{place[1]}/end", by=CLIENT)

    starts = [process.start(key="one") for process in processes]
    answers = await asyncio.gather(*starts, *([ended()] if ends else []))
    for process in processes:
        await process.services.close()
    return lkps, answers


PATIENT = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.usefixtures("impatient")
@PATIENT
@given(st.lists(JITTER, min_size=2, max_size=4))
async def test_however_starts_interleave_they_are_one_session(pauses: list[list[int]]) -> None:
    lkps, answers = await race(pauses, failing=0, ends=0)
    assert {answer.status for answer in answers} <= {200, 409}
    started = [answer.json for answer in answers if answer.status == 200]
    assert len({each["session_id"] for each in started}) == 1
    assert [*lkps.rooms.rooms] == [started[0]["room_name"]]
    for answer in answers:
        assert answer.status == 200 or answer.json["code"] == "edited_meanwhile"


@pytest.mark.usefixtures("impatient")
@PATIENT
@given(st.tuples(JITTER, JITTER), st.integers(1, 2))
async def test_whatever_fails_a_room_stands_exactly_where_an_open_session_does(
    pauses: tuple[list[int], list[int]], failing: int
) -> None:
    lkps, answers = await race([*pauses], failing=failing, ends=0)
    rows = [stored.row for stored in lkps.sessions._rows.values()]
    assert [*lkps.rooms.rooms] == [row.room_name for row in rows if row.state == "open"]
    for answer in answers:
        if answer.status == 200:
            assert answer.json["room_name"] in lkps.rooms.rooms


@pytest.mark.usefixtures("impatient")
@PATIENT
@given(st.tuples(JITTER, JITTER), st.integers(1, 40))
async def test_once_a_session_has_ended_no_start_brings_its_room_back(
    pauses: tuple[list[int], list[int]], ends: int
) -> None:
    lkps, answers = await race([*pauses], failing=0, ends=ends)
    if answers[-1].status == 200:
        assert lkps.rooms.rooms == {}
    rows = [stored.row for stored in lkps.sessions._rows.values()]
    assert len(lkps.rooms.rooms) == len([row for row in rows if row.state == "open"])


async def test_a_repeat_of_a_session_past_its_longest_duration_finds_it_ended(lkps: Lkps) -> None:
    lkps = Lkps({"LKPS_SESSION_MAX_SECONDS": "60"})
    await lkps.register()
    assert (await lkps.start(key="one")).status == 200
    lkps.clock.pass_by(59)
    assert (await lkps.start(key="one")).status == 200
    lkps.clock.pass_by(1)
    answer = await lkps.start(key="one")
    assert (answer.status, answer.json["code"]) == (409, "session_ended")
    assert lkps.rooms.rooms == {}
