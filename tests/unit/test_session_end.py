"""How a session is read and ended, and what stays when something fails in between."""

import asyncio
from dataclasses import replace

import pytest

from lkps_core.ports import RoomParticipant
from tests.builders.lkps import ADMIN, CLIENT, Answered, Lkps, app, guid
from tests.builders.stepping import SteppingRooms, SteppingSessions, SteppingTrail
from tests.builders.tokens import TENANT

OWNER = app("owner", "LKPS.Manage")


@pytest.fixture
async def lkps() -> Lkps:
    lkps = Lkps()
    await lkps.register()
    return lkps


async def end(lkps: Lkps, session_id: str, *, by: str = CLIENT) -> Answered:
    return await lkps.send("POST", f"session/{session_id}/end", by=by)


async def show(lkps: Lkps, session_id: str, *, by: str = CLIENT) -> Answered:
    return await lkps.send("GET", f"session/{session_id}", by=by)


async def started(lkps: Lkps) -> str:
    session_id: str = (await lkps.start()).json["session_id"]
    return session_id


async def test_an_open_session_is_shown_with_its_agents_state(lkps: Lkps) -> None:
    session_id = await started(lkps)
    assert (await show(lkps, session_id)).json == {
        "session_id": session_id,
        "agent_name": "concierge",
        "room_name": f"test--{session_id}",
        "participant_identity": (
            await lkps.sessions.get("concierge", session_id)
        ).row.participant_identity,  # type: ignore[union-attr]
        "state": "created",
        "agent_status": "joined",
        "agent_dispatches": 1,
        "created_at": "2026-03-14T09:26:53Z",
        "ends_at": "2026-03-14T13:26:53Z",
    }


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, "dispatched"), (9.9, "dispatched"), (180, "offline")],
)
async def test_an_agent_that_is_not_in_the_room_is_awaited_or_offline(
    lkps: Lkps, seconds: float, status: str
) -> None:
    lkps.rooms.workers.clear()
    session_id = await started(lkps)
    lkps.clock.pass_by(seconds)
    assert (await show(lkps, session_id)).json["agent_status"] == status


async def test_a_session_whose_room_is_gone_has_ended(lkps: Lkps) -> None:
    session_id = await started(lkps)
    lkps.rooms.rooms.clear()
    lkps.clock.pass_by(9)
    assert (await show(lkps, session_id)).json["state"] == "created"
    lkps.clock.pass_by(1)
    shown = (await show(lkps, session_id)).json
    assert (shown["state"], shown["cause"]) == ("ended", "nobody_joined")


async def test_ending_ends_the_room_for_everyone_in_it(lkps: Lkps) -> None:
    session_id = await started(lkps)
    lkps.clock.pass_by(42)
    answer = await end(lkps, session_id)
    assert answer.status == 200
    assert (answer.json["state"], answer.json["agent_status"]) == ("ended", "left")
    assert answer.json["ended_at"] == "2026-03-14T09:27:35Z"
    assert answer.json["cause"] == "ended_by_starter"
    assert lkps.rooms.rooms == {}
    assert (await show(lkps, session_id)).json == answer.json
    row = lkps.rows[-1]
    assert (row["action"], row["reason"], row["session_id"]) == (
        "session.ended",
        "ended_by_starter",
        session_id,
    )


async def test_ending_an_ended_session_changes_nothing(lkps: Lkps) -> None:
    session_id = await started(lkps)
    first = await end(lkps, session_id)
    lkps.clock.pass_by(5)
    rows = lkps.rows
    again = await end(lkps, session_id, by=ADMIN)
    assert (again.status, again.json) == (200, first.json)
    assert lkps.rows == rows


@pytest.mark.parametrize(("by", "cause"), [(OWNER, "ended_by_owner"), (ADMIN, "ended_by_admin")])
async def test_who_else_may_end_a_session_is_told_as_its_cause(
    lkps: Lkps, by: str, cause: str
) -> None:
    session_id = await started(lkps)
    ids = [{"tid": TENANT, "oid": guid("sp owner")}]
    await lkps.assign({"owners": ids})
    assert (await end(lkps, session_id, by=by)).json["cause"] == cause


async def test_a_body_is_not_needed_and_an_empty_object_is_in_order(lkps: Lkps) -> None:
    session_id = await started(lkps)
    path = f"session/{session_id}/end"
    assert (await lkps.send("POST", path, {}, by=CLIENT)).status == 200
    assert (await lkps.send("POST", path, {"why": "?"}, by=CLIENT)).status == 422


async def test_an_end_that_livekit_did_not_answer_is_finished_by_the_next_try(lkps: Lkps) -> None:
    session_id = await started(lkps)
    lkps.rooms.down = True
    answer = await end(lkps, session_id)
    assert (answer.status, answer.json["code"]) == (503, "livekit_unavailable")
    lkps.rooms.down = False
    assert (await show(lkps, session_id)).json["state"] == "ended"
    assert len(lkps.rooms.rooms) == 1
    lkps.clock.pass_by(3)
    answer = await end(lkps, session_id)
    assert (answer.status, answer.json["ended_at"]) == (200, "2026-03-14T09:26:53Z")
    assert lkps.rooms.rooms == {}
    assert [row["action"] for row in lkps.rows].count("session.ended") == 1


@pytest.mark.usefixtures("impatient")
async def test_an_end_that_is_not_on_the_trail_is_recorded_by_the_next_try(lkps: Lkps) -> None:
    session_id = await started(lkps)
    lkps.trail.down = True
    assert (await end(lkps, session_id)).json["code"] == "audit_unavailable"
    assert lkps.rooms.rooms == {}
    lkps.trail.down = False
    assert (await end(lkps, session_id)).status == 200
    assert "session.ended" in [row["action"] for row in lkps.rows]


@pytest.mark.parametrize("state", ["ending", "ended"])
async def test_a_start_repeated_after_the_end_leaves_no_room(lkps: Lkps, state: str) -> None:
    session_id = (await lkps.start(key="one")).json["session_id"]
    if state == "ending":
        lkps.rooms.down = True
        await end(lkps, session_id)
        lkps.rooms.down = False
    else:
        await end(lkps, session_id)
    answer = await lkps.start(key="one")
    assert (answer.status, answer.json["code"]) == (409, "session_ended")
    assert lkps.rooms.rooms == {}


async def test_a_start_repeated_while_the_session_ends_leaves_no_room(lkps: Lkps) -> None:
    session_id = (await lkps.start(key="one")).json["session_id"]
    rooms = SteppingRooms(lkps.rooms)
    made = rooms.steps.stop("create", "before")
    repeating = asyncio.create_task(replace(lkps, rooms=rooms, seed=3).start(key="one"))
    await made.reached.wait()
    assert (await end(lkps, session_id)).status == 200
    made.release()
    assert (await repeating).json["code"] == "session_ended"
    assert lkps.rooms.rooms == {}


@pytest.mark.usefixtures("impatient")
async def test_a_repeated_start_that_fails_while_the_session_ends_leaves_no_room(
    lkps: Lkps,
) -> None:
    session_id = (await lkps.start(key="one")).json["session_id"]
    rooms, trail = SteppingRooms(lkps.rooms), SteppingTrail(lkps.trail)
    made = rooms.steps.stop("create", "before")
    trail.down = True
    elsewhere = replace(lkps, rooms=rooms, trail=trail, seed=3)
    repeating = asyncio.create_task(elsewhere.start(key="one"))
    await made.reached.wait()
    assert (await end(lkps, session_id)).status == 200
    made.release()
    assert (await repeating).json["code"] == "audit_unavailable"
    trail.down = False
    await elsewhere.services.close()
    assert lkps.rooms.rooms == {}


async def test_a_start_that_joined_first_keeps_the_session_and_the_end_is_told(lkps: Lkps) -> None:
    session_id = (await lkps.start(key="one")).json["session_id"]
    table = SteppingSessions(lkps.sessions)
    stop = table.steps.stop("replace", "before")
    ending = asyncio.create_task(end(replace(lkps, sessions=table, seed=3), session_id))
    await stop.reached.wait()
    assert (await lkps.start(key="one")).status == 200
    stop.release()
    answer = await ending
    assert (answer.status, answer.json["code"]) == (409, "edited_meanwhile")
    assert len(lkps.rooms.rooms) == 1
    assert (await end(lkps, session_id)).status == 200
    assert lkps.rooms.rooms == {}


async def test_an_end_that_came_first_keeps_a_repeated_start_from_answering(lkps: Lkps) -> None:
    session_id = (await lkps.start(key="one")).json["session_id"]
    table = SteppingSessions(lkps.sessions)
    stop = table.steps.stop("replace", "before")
    repeating = asyncio.create_task(replace(lkps, sessions=table, seed=3).start(key="one"))
    await stop.reached.wait()
    assert (await end(lkps, session_id)).status == 200
    stop.release()
    answer = await repeating
    assert (answer.status, answer.json["code"]) == (409, "session_ended")
    assert lkps.rooms.rooms == {}


async def test_who_is_in_the_room_does_not_matter_to_its_end(lkps: Lkps) -> None:
    session_id = await started(lkps)
    (room,) = lkps.rooms.rooms.values()
    room.participants.append(RoomParticipant("somebody", False, lkps.clock.now))
    await end(lkps, session_id)
    assert lkps.rooms.rooms == {}
