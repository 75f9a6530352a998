"""What the sweep ends, mends and leaves alone, when nobody told anything."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lkps_core.adapters.memory import MemoryRoom
from lkps_core.ports import Room
from lkps_core.sweep import comparing, sweeping
from tests.builders.lkps import ADMIN, CLIENT, Answered, Lkps
from tests.builders.stepping import SteppingRooms
from tests.unit.sessions.arranging import Talk, rows_of, started

WHY = "a test"


async def sweep(lkps: Lkps, **body: object) -> dict[str, Any]:
    answer = await ask_for_sweep(lkps, **body)
    assert answer.status == 200, answer.raw
    return answer.json


async def ask_for_sweep(lkps: Lkps, **body: object) -> Answered:
    return await lkps.send("POST", "sweep", {"reason": WHY, **body}, by=ADMIN)


async def talking(lkps: Lkps) -> Talk:
    """Somebody is in the room, and nobody told LKPS."""
    talk = await started(lkps)
    talk.enter()
    return talk


def lost_room(lkps: Lkps, name: str) -> None:
    """A room as a start leaves it whose process died before its row was written."""
    room = Room(name, 360, "concierge", "secret", "")
    lkps.rooms.rooms[name] = MemoryRoom(room, lkps.clock.now)


def session_ids(letters: str) -> list[str]:
    return [f"concierge--{letter * 26}" for letter in letters]


async def test_a_session_over_its_time_is_ended_within_the_minute(lkps: Lkps) -> None:
    talk = await talking(lkps)
    lkps.clock.now += timedelta(hours=4, seconds=1)
    await lkps.services.sweeping.due()
    assert (talk.row.state, talk.row.cause) == ("ended", "time_over")
    assert lkps.rooms.rooms == {}
    (row,) = rows_of(lkps, "session.ended")
    assert (row["reason"], row["operation"], "oid" in row) == ("time_over", "sweep", False)


async def test_a_session_within_its_time_with_people_in_it_is_left_alone(lkps: Lkps) -> None:
    talk = await talking(lkps)
    for _ in range(10):
        lkps.clock.pass_by(60)
        await lkps.register()
        await lkps.services.sweeping.due()
        await lkps.services.sweeping.full()
    assert (talk.row.state, talk.row.joined_at) == ("open", talk.row.created_at)
    assert talk.row.dispatches == 1


async def test_a_room_that_nobody_joined_is_ended_once_its_token_cannot_join_it(
    lkps: Lkps,
) -> None:
    talk = await started(lkps)
    lkps.clock.pass_by(359)
    await lkps.services.sweeping.due()
    assert talk.row.state == "open"
    lkps.clock.pass_by(2)
    await lkps.services.sweeping.due()
    assert (talk.row.state, talk.row.cause) == ("ended", "nobody_joined")
    assert lkps.rooms.rooms == {}


async def test_an_agent_left_alone_is_sent_home(lkps: Lkps) -> None:
    talk = await talking(lkps)
    await lkps.services.sweeping.full()
    talk.leave()
    await lkps.services.sweeping.full()
    lkps.clock.pass_by(61)
    await lkps.services.sweeping.due()
    assert (talk.row.state, talk.row.cause) == ("ended", "everyone_left")


async def test_a_row_without_a_room_is_ended(lkps: Lkps) -> None:
    talk = await talking(lkps)
    await lkps.services.sweeping.full()
    talk.close()
    lkps.clock.pass_by(10)
    assert (await sweep(lkps))["ended"] == {"everyone_left": 1}
    assert (talk.row.state, talk.row.cause) == ("ended", "everyone_left")


async def test_a_start_under_way_is_left_alone(lkps: Lkps) -> None:
    rooms = SteppingRooms(lkps.rooms)
    made = rooms.steps.stop("create", "before")
    starting = asyncio.create_task(replace(lkps, rooms=rooms, seed=3).start())
    await made.reached.wait()
    assert (await sweep(lkps))["ended"] == {}
    made.release()
    answer = await starting
    assert answer.status == 200
    assert (await sweep(lkps))["rooms_removed"] == 0
    assert answer.json["room_name"] in lkps.rooms.rooms


async def test_a_room_without_a_row_is_removed_and_recorded(lkps: Lkps) -> None:
    talk = await talking(lkps)
    (lost,) = session_ids("a")
    lost_room(lkps, f"test--{lost}")
    lkps.clock.pass_by(119)
    assert (await sweep(lkps))["rooms_removed"] == 0
    lkps.clock.pass_by(1)
    assert (await sweep(lkps))["rooms_removed"] == 1
    assert [*lkps.rooms.rooms] == [talk.room_name]
    (row,) = rows_of(lkps, "session.room_removed")
    assert (row["reason"], row["session_id"], row["agent_name"]) == (
        "no_session",
        lost,
        "concierge",
    )


async def test_a_room_that_outlived_its_session_is_removed(lkps: Lkps) -> None:
    talk = await talking(lkps)
    await lkps.send("POST", f"session/{talk.id}/end", by=CLIENT)
    lost_room(lkps, talk.room_name)
    lkps.clock.pass_by(120)
    assert (await sweep(lkps))["rooms_removed"] == 1
    (row,) = rows_of(lkps, "session.room_removed")
    assert row["reason"] == "session_ended"


@pytest.mark.parametrize(
    "name",
    ["other--concierge--" + "a" * 26, "test", "test--", "test--no id", "somebody's own room"],
)
async def test_a_room_of_another_installation_or_nobodys_is_never_touched(
    lkps: Lkps, name: str
) -> None:
    lost_room(lkps, name)
    lkps.clock.now += timedelta(days=1)
    report = await sweep(lkps, force=True)
    assert (report["rooms"], report["rooms_removed"]) == (0, 0)
    assert name in lkps.rooms.rooms


async def test_an_agent_that_vanished_unheard_is_dispatched_again(lkps: Lkps) -> None:
    talk = await talking(lkps)
    await lkps.services.sweeping.full()
    talk.leave(*talk.agents)
    await lkps.services.sweeping.full()
    lkps.clock.pass_by(41)
    await lkps.services.sweeping.due()
    assert (talk.row.dispatches, len(talk.agents)) == (2, 1)
    assert [row["reason"] for row in rows_of(lkps, "session.dispatched")] == ["vanished"]


async def test_an_end_that_livekit_refused_is_finished_with_its_first_cause(lkps: Lkps) -> None:
    talk = await talking(lkps)
    lkps.rooms.down = True
    answer = await lkps.send("POST", f"session/{talk.id}/end", by=CLIENT)
    assert answer.status == 503
    lkps.rooms.down = False
    lkps.clock.pass_by(61)
    await lkps.services.sweeping.due()
    assert (talk.row.state, talk.row.cause) == ("ended", "ended_by_starter")
    assert lkps.rooms.rooms == {}
    assert len(rows_of(lkps, "session.ended")) == 1


async def test_a_start_that_was_taken_back_half_way_is_taken_back(lkps: Lkps) -> None:
    talk = await started(lkps)
    stored = lkps.sessions._rows["concierge", talk.id]
    await lkps.sessions.replace(replace(stored.row, state="abandoned"), stored.etag)
    lkps.clock.pass_by(61)
    await lkps.services.sweeping.due()
    assert (lkps.sessions._rows, lkps.rooms.rooms) == ({}, {})
    (row,) = rows_of(lkps, "session.abandoned")
    assert (row["session_id"], row["outcome"]) == (talk.id, "failed")


async def test_an_ended_session_is_kept_for_a_day(lkps: Lkps) -> None:
    talk = await talking(lkps)
    await lkps.send("POST", f"session/{talk.id}/end", by=CLIENT)
    lkps.clock.now += timedelta(hours=24)
    await lkps.services.sweeping.due()
    assert talk.row.state == "ended"
    lkps.clock.pass_by(1)
    await lkps.services.sweeping.due()
    assert lkps.sessions._rows == {}


async def test_an_instance_that_fell_silent_loses_its_registration(lkps: Lkps) -> None:
    lkps.clock.pass_by(180 + 600)
    assert (await sweep(lkps))["leases_ended"] == 0
    lkps.clock.pass_by(1)
    assert (await sweep(lkps))["leases_ended"] == 1
    assert lkps.registrations._rows == {}
    (row,) = rows_of(lkps, "agent.lapsed")
    assert row["agent_name"] == "concierge"


async def test_a_block_whose_time_is_over_is_removed(lkps: Lkps) -> None:
    for name, until in (("other", 30), ("another", None)):
        body = {"agent_name": name, "reason": WHY}
        if until:
            at = lkps.clock.now + timedelta(seconds=until)
            body["until"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert (await lkps.send("POST", "revocations", body, by=ADMIN)).status == 201
    lkps.clock.pass_by(30)
    assert (await sweep(lkps))["blocks_removed"] == 1
    assert [key for _, key in lkps.revocations._rows] == ["agent:another"]
    (row,) = rows_of(lkps, "revocation.expired")
    assert row["subject"] == "agent:other"


async def test_a_dry_run_tells_what_a_run_does_and_does_nothing(lkps: Lkps) -> None:
    over, gone = await talking(lkps), await talking(lkps)
    lkps.clock.now += timedelta(hours=4, seconds=1)
    gone.close()
    lost_room(lkps, f"test--{session_ids('a')[0]}")
    lkps.clock.pass_by(120)
    held, rooms = dict(lkps.sessions._rows), dict(lkps.rooms.rooms)
    rows = len(lkps.rows)
    foretold = await sweep(lkps, dry_run=True)
    assert (lkps.sessions._rows, lkps.rooms.rooms) == (held, rooms)
    assert [row["action"] for row in lkps.rows[rows:]] == ["platform.swept"]
    assert over.row.state == "open"
    done = await sweep(lkps)
    same = ("rooms", "sessions", "ended", "rooms_removed", "agents_dispatched", "leases_ended")
    assert [foretold[name] for name in same] == [done[name] for name in same]
    assert done["ended"] == {"time_over": 2}


async def test_why_is_said_but_for_a_dry_run(lkps: Lkps) -> None:
    refused = await lkps.send("POST", "sweep", {}, by=ADMIN)
    assert (refused.status, refused.json["code"]) == (422, "body_invalid")
    assert (await lkps.send("POST", "sweep", {"dry_run": True}, by=ADMIN)).status == 200
    assert [row.get("comment") for row in rows_of(lkps, "platform.swept")] == [None]


async def test_livekit_not_answering_is_no_room_missing(lkps: Lkps) -> None:
    talk = await talking(lkps)
    lkps.clock.pass_by(120)
    lkps.rooms.down = True
    answer = await ask_for_sweep(lkps)
    assert (answer.status, answer.json["code"]) == (503, "livekit_unavailable")
    lkps.rooms.down = False
    assert talk.row.state == "open"


async def test_of_one_room_that_cannot_be_seen_nothing_is_concluded(lkps: Lkps) -> None:
    talk, other = await talking(lkps), await talking(lkps)
    other.close()
    lkps.clock.pass_by(120)
    rooms = SteppingRooms(lkps.rooms)
    rooms.refuse("look")
    report = await sweep(replace(lkps, rooms=rooms, seed=3))
    assert report["failed"] == 1
    assert talk.row.state == "open"


async def test_more_rooms_without_a_session_than_is_plausible_stop_the_sweep(
    lkps: Lkps, caplog: pytest.LogCaptureFixture
) -> None:
    talk = await talking(lkps)
    for name in session_ids("abcdefghijk"):
        lost_room(lkps, f"test--{name}")
    lkps.clock.pass_by(120)
    report = await sweep(lkps)
    assert (report["stopped"], report["rooms_removed"]) == (True, 0)
    assert len(lkps.rooms.rooms) == 12
    assert [one.levelname for one in caplog.records if one.message == "the sweep stopped"] == [
        "ERROR"
    ]
    report = await sweep(lkps, force=True)
    assert (report["stopped"], report["rooms_removed"]) == (False, 11)
    assert [*lkps.rooms.rooms] == [talk.room_name]


async def test_a_few_rooms_without_a_session_are_always_plausible(lkps: Lkps) -> None:
    await started(lkps)
    for name in session_ids("abcdefghij"):
        lost_room(lkps, f"test--{name}")
    lkps.clock.pass_by(120)
    assert (await sweep(lkps))["rooms_removed"] == 10


async def test_two_runs_at_once_are_one(lkps: Lkps) -> None:
    talk = await talking(lkps)
    lkps.clock.now += timedelta(hours=4, seconds=1)
    rooms = SteppingRooms(lkps.rooms)
    stop = rooms.steps.stop("delete", "before")
    first = asyncio.create_task(replace(lkps, rooms=rooms, seed=3).services.sweeping.due())
    await stop.reached.wait()
    answer = await ask_for_sweep(replace(lkps, seed=5))
    assert (answer.status, answer.json["code"]) == (409, "sweep_under_way")
    assert answer.headers["Retry-After"] == "30"
    await replace(lkps, seed=6).services.sweeping.due()
    stop.release()
    await first
    assert talk.row.state == "ended"
    assert len(rows_of(lkps, "session.ended")) == 1


async def test_of_two_that_begin_in_one_moment_one_runs(lkps: Lkps) -> None:
    await talking(lkps)
    answers = await asyncio.gather(*(ask_for_sweep(replace(lkps, seed=n)) for n in (3, 4)))
    assert sorted(answer.status for answer in answers) == [200, 409]


async def test_the_turn_of_an_instance_that_died_ends_by_itself(lkps: Lkps) -> None:
    rooms = SteppingRooms(lkps.rooms)
    await talking(lkps)
    lkps.clock.pass_by(120)
    stop = rooms.steps.stop("look", "before")
    dying = asyncio.create_task(replace(lkps, rooms=rooms, seed=3).services.sweeping.full())
    await stop.reached.wait()
    lkps.clock.pass_by(89)
    assert (await ask_for_sweep(lkps)).status == 409
    lkps.clock.pass_by(1)
    assert (await ask_for_sweep(lkps)).status == 200
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying


async def test_a_run_that_has_no_time_left_is_gone_on_with_where_it_stopped(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "PAGE", 2)
    monkeypatch.setattr(sweeping, "SECONDS", 0.0)
    talks = [await talking(lkps) for _ in range(5)]
    for talk in talks:
        talk.close()
    lkps.clock.pass_by(10)
    reports = [await sweep(lkps) for _ in range(3)]
    assert [report["sessions"] for report in reports] == [2, 2, 1]
    assert [report["complete"] for report in reports] == [False, False, False]
    assert {talk.row.state for talk in talks} == {"ended"}


async def test_how_the_last_runs_went_can_be_read(lkps: Lkps) -> None:
    assert (await lkps.send("GET", "sweep", by=ADMIN)).json == {"runs": []}
    await talking(lkps)
    await lkps.services.sweeping.due()
    await lkps.services.sweeping.full()
    lkps.clock.pass_by(60)
    await lkps.services.sweeping.due()
    await sweep(lkps, dry_run=True)
    runs = (await lkps.send("GET", "sweep", by=ADMIN)).json["runs"]
    assert [(run["kind"], run["began_at"][:19]) for run in runs] == [
        ("full", "2026-03-14T09:26:53"),
        ("due", "2026-03-14T09:27:53"),
    ]
    assert (runs[0]["sessions"], runs[0]["ended"]) == (1, {})


async def test_what_an_admin_sweeps_is_on_the_trail_with_the_reason(lkps: Lkps) -> None:
    await sweep(lkps, dry_run=True)
    (row,) = rows_of(lkps, "platform.swept")
    assert (row["comment"], row["after"]) == (
        WHY,
        {"dry_run": True, "full": True, "force": False},
    )
