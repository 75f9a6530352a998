"""When one of several effects fails, the others are taken back, for as long as it takes."""

import asyncio
from dataclasses import replace

import pytest

from lkps_core import undoing
from lkps_core.errors import LiveKitUnavailable
from lkps_core.ports import Room
from lkps_core.sessions.model import Session
from lkps_core.undoing import Undoing
from tests.builders.conditions import until
from tests.builders.lkps import CLIENT, Lkps
from tests.builders.stepping import SteppingRooms, SteppingSessions, SteppingTrail

pytestmark = pytest.mark.usefixtures("impatient")


class Attempts:
    """A step that fails so often, then succeeds."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.made = 0

    async def __call__(self) -> None:
        self.made += 1
        if self.made <= self.failures:
            raise LiveKitUnavailable(reason="down")


@pytest.fixture
async def lkps() -> Lkps:
    lkps = Lkps()
    await lkps.register()
    return lkps


async def test_what_can_be_undone_at_once_is_undone_before_anyone_is_answered() -> None:
    step = Attempts(failures=0)
    await Undoing().undo(step)
    assert step.made == 1


async def test_what_cannot_is_tried_again_until_it_is_done() -> None:
    step, undone = Attempts(failures=4), Undoing()
    await undone.undo(step)
    await undone.drained()
    assert step.made == 5


async def test_the_caller_waits_for_so_long_and_no_longer() -> None:
    waiting, undone = asyncio.Event(), Undoing()
    async with asyncio.timeout(1):
        await undone.undo(lambda: _wait(waiting))
    drained = asyncio.create_task(undone.drained())
    await asyncio.sleep(0)
    assert not drained.done()
    waiting.set()
    await drained


async def test_after_the_last_attempt_what_remains_is_left_to_the_sweep(
    caplog: pytest.LogCaptureFixture,
) -> None:
    step, undone = Attempts(failures=10**6), Undoing()
    await undone.undo(step)
    await undone.drained()
    assert step.made == len(undoing.PAUSES) + 1
    assert caplog.records[-1].levelname == "ERROR"


async def test_a_caller_who_goes_away_does_not_stop_the_undoing() -> None:
    waiting, undone = asyncio.Event(), Undoing()
    caller = asyncio.create_task(undone.undo(lambda: _wait(waiting)))
    await asyncio.sleep(0)
    caller.cancel()
    waiting.set()
    await undone.drained()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def rows(lkps: Lkps) -> list[Session]:
    return [stored.row for stored in lkps.sessions._rows.values()]


def abandoned(lkps: Lkps) -> int:
    return [row["action"] for row in lkps.rows].count("session.abandoned")


async def test_without_its_room_a_session_leaves_no_row(lkps: Lkps) -> None:
    rooms = SteppingRooms(lkps.rooms)
    rooms.refuse("create")
    assert (await replace(lkps, rooms=rooms, seed=3).start()).status == 503
    assert rows(lkps) == []
    assert abandoned(lkps) == 1


async def test_a_room_whose_making_was_not_answered_is_ended(lkps: Lkps) -> None:
    rooms = SteppingRooms(lkps.rooms)
    rooms.lose("create")
    assert (await replace(lkps, rooms=rooms, seed=3).start()).status == 503
    assert (lkps.rooms.rooms, rows(lkps)) == ({}, [])


@pytest.mark.parametrize("how", ["refuse", "lose"])
async def test_without_its_row_a_session_leaves_no_room(lkps: Lkps, how: str) -> None:
    table = SteppingSessions(lkps.sessions)
    getattr(table, how)("add")
    assert (await replace(lkps, sessions=table, seed=3).start()).status == 503
    assert (lkps.rooms.rooms, rows(lkps)) == ({}, [])
    assert abandoned(lkps) == 1


async def test_what_is_told_of_the_room_meanwhile_does_not_keep_a_start_that_failed(
    lkps: Lkps,
) -> None:
    rooms, table = SteppingRooms(lkps.rooms), SteppingSessions(lkps.sessions)
    rooms.lose("create")

    async def agent_is_seen() -> None:
        (stored,) = lkps.sessions._rows.values()
        await lkps.sessions.replace(replace(stored.row, agent_state="joined"), stored.etag)

    table.steps.once("replace", "before", agent_is_seen)
    elsewhere = replace(lkps, rooms=rooms, sessions=table, seed=3)
    assert (await elsewhere.start()).status == 503
    await elsewhere.services.close()
    assert (lkps.rooms.rooms, rows(lkps)) == ({}, [])
    assert abandoned(lkps) == 1


async def test_without_its_audit_row_a_session_leaves_neither(lkps: Lkps) -> None:
    lkps.trail.down = True
    assert (await lkps.start()).status == 503
    assert (lkps.rooms.rooms, rows(lkps)) == ({}, [])
    lkps.trail.down = False
    await until(lambda: any(row["action"] == "session.abandoned" for row in lkps.rows))


async def test_when_everything_fails_everything_is_undone_once_it_returns(lkps: Lkps) -> None:
    rooms, table, trail = (
        SteppingRooms(lkps.rooms),
        SteppingSessions(lkps.sessions),
        SteppingTrail(lkps.trail),
    )
    rooms.lose("create")
    table.lose("add")
    rooms.refuse("delete")
    table.refuse("get")
    table.refuse("replace")
    table.refuse("remove")
    process = replace(lkps, rooms=rooms, sessions=table, trail=trail, seed=3)
    assert (await process.start()).status == 503
    await process.services.close()
    assert (lkps.rooms.rooms, rows(lkps)) == ({}, [])
    assert abandoned(lkps) == 1


async def test_livekit_being_down_for_long_does_not_hold_the_caller(lkps: Lkps) -> None:
    lkps.rooms.down = True
    async with asyncio.timeout(1):
        answer = await lkps.start(key="one")
    assert answer.json["code"] == "livekit_unavailable"
    lkps.rooms.down = False
    await lkps.services.close()
    assert rows(lkps) == []
    assert (await lkps.start(key="one")).status == 200


async def test_a_row_that_another_start_wrote_anew_is_left_alone(lkps: Lkps) -> None:
    """The undoing that LiveKit's outage held up meets the session that was started after it."""
    rooms, table = SteppingRooms(lkps.rooms), SteppingSessions(lkps.sessions)
    rooms.refuse("create")
    process = replace(lkps, rooms=rooms, sessions=table, seed=3)
    stop = table.steps.stop("get", "before")
    failed = asyncio.create_task(process.start(key="one"))
    await stop.reached.wait()
    (stored,) = lkps.sessions._rows.values()
    await lkps.sessions.remove(stored.row, stored.etag)
    answer = await lkps.start(key="one")
    stop.release()
    assert (await failed).status == 503
    await process.services.close()
    assert answer.json["room_name"] in lkps.rooms.rooms
    assert [row.state for row in rows(lkps)] == ["open"]


async def test_a_row_that_was_joined_while_it_was_to_be_taken_back_stays(lkps: Lkps) -> None:
    rooms, table = SteppingRooms(lkps.rooms), SteppingSessions(lkps.sessions)
    rooms.lose("create")
    process = replace(lkps, rooms=rooms, sessions=table, seed=3)
    stop = table.steps.stop("replace", "before")
    failed = asyncio.create_task(process.start(key="one"))
    await stop.reached.wait()
    joined = await lkps.start(key="one")
    stop.release()
    assert ((await failed).status, joined.status) == (503, 200)
    await process.services.close()
    assert joined.json["room_name"] in lkps.rooms.rooms
    assert [row.state for row in rows(lkps)] == ["open"]


async def test_a_session_that_ended_while_its_start_was_undone_stays_ended(lkps: Lkps) -> None:
    rooms, table = SteppingRooms(lkps.rooms), SteppingSessions(lkps.sessions)
    rooms.lose("create")
    process = replace(lkps, rooms=rooms, sessions=table, seed=3)
    stop = table.steps.stop("remove", "before")
    failed = asyncio.create_task(process.start())
    await stop.reached.wait()
    (session,) = rows(lkps)
    answer = await lkps.send("POST", f"session/{session.id}/end", by=CLIENT)
    assert answer.json["state"] == "ended"
    stop.release()
    assert (await failed).status == 503
    await process.services.close()
    assert [row.state for row in rows(lkps)] == ["ended"]
    assert lkps.rooms.rooms == {}


async def late_room(lkps: Lkps, key: str) -> str:
    """LiveKit did not answer in time, and makes the room after all was taken back."""
    rooms = SteppingRooms(lkps.rooms)
    made: list[Room] = []
    create = rooms.create

    async def noted(room: Room) -> None:
        made.append(room)
        await create(room)

    rooms.create = noted  # type: ignore[method-assign]
    rooms.refuse("create")
    assert (await replace(lkps, rooms=rooms, seed=3).start(key=key)).status == 503
    assert lkps.rooms.rooms == {}
    (room,) = made
    await lkps.rooms.create(room)
    return room.name


async def test_a_room_that_was_made_late_is_ended_by_a_second_look(lkps: Lkps) -> None:
    await late_room(lkps, "one")
    await until(lambda: lkps.rooms.rooms == {})


async def test_the_second_look_leaves_alone_the_session_that_was_started_since(lkps: Lkps) -> None:
    looks = len(lkps.sessions.calls)
    name = await late_room(lkps, "one")
    assert (await lkps.start(key="one")).json["room_name"] == name
    await asyncio.sleep(2 * undoing.LATE)
    assert len(lkps.sessions.calls) > looks
    assert name in lkps.rooms.rooms


async def test_a_process_that_ends_does_not_wait_for_the_second_look(lkps: Lkps) -> None:
    rooms = SteppingRooms(lkps.rooms)
    rooms.refuse("create")
    process = replace(lkps, rooms=rooms, seed=3)
    assert (await process.start()).status == 503
    rooms.calls.clear()
    await process.services.close()
    await asyncio.sleep(2 * undoing.LATE)
    assert rooms.calls == []
