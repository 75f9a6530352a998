"""Whether the agent comes and stays, who does not belong, and what is done about it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from lkps_core.identity.principal import PrincipalId
from lkps_core.policy.model import Revocation
from lkps_core.sessions import watching
from tests.builders.conditions import until
from tests.builders.lkps import Lkps, guid
from tests.builders.stepping import SteppingRooms
from tests.builders.tokens import TENANT
from tests.unit.sessions.arranging import Talk, rows_of, started


@pytest.fixture
async def talk(lkps: Lkps) -> Talk:
    """Somebody talks with the agent."""
    talk = await started(lkps)
    await talk.tell("participant_joined", talk.agents[0])
    talk.enter()
    await talk.tell("participant_joined")
    return talk


@pytest.fixture
def promptly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look at a foreign agent comes as soon as it is let."""
    monkeypatch.setattr(watching, "CONFIRM_AFTER", 0.0)


def dispatches(lkps: Lkps) -> list[str]:
    """Why agents were dispatched again."""
    return [row["reason"] for row in rows_of(lkps, "session.dispatched")]


async def test_a_session_is_created_then_joined_by_its_first_person(lkps: Lkps) -> None:
    talk = await started(lkps)
    assert (await talk.show())["state"] == "created"
    lkps.clock.pass_by(2)
    talk.enter()
    await talk.tell("participant_joined")
    lkps.clock.pass_by(3)
    talk.enter("another")
    await talk.tell("participant_joined", "another")
    shown = await talk.show()
    assert (shown["state"], shown["joined_at"]) == ("joined", "2026-03-14T09:26:55Z")
    assert shown["agent_status"] == "joined"


async def test_without_any_event_a_look_tells_the_same(lkps: Lkps) -> None:
    talk = await started(lkps)
    lkps.clock.pass_by(2)
    talk.enter()
    lkps.clock.pass_by(3)
    shown = await talk.show()
    assert (shown["state"], shown["joined_at"]) == ("joined", "2026-03-14T09:26:55Z")
    assert shown["agent_status"] == "joined"


@pytest.mark.parametrize("reason", ["CONNECTION_TIMEOUT", "SIGNAL_CLOSE", "STATE_MISMATCH"])
async def test_an_agent_that_was_cut_off_is_replaced_at_once(talk: Talk, reason: str) -> None:
    (lost,) = talk.agents
    talk.leave(lost)
    await talk.tell("participant_left", lost, reason)
    (another,) = talk.agents
    assert another != lost
    assert dispatches(talk.lkps) == ["vanished"]
    shown = await talk.show()
    assert (shown["agent_status"], shown["agent_dispatches"]) == ("joined", 2)
    assert shown["agent_outcome"] == "vanished"


async def test_an_agent_that_failed_is_replaced_though_livekit_still_lists_it(talk: Talk) -> None:
    registration = await talk.lkps.register()
    (lost,) = talk.agents
    answer = await talk.report(registration["registration_id"], lost, "failed", reason="exit_-9")
    assert answer.status == 204
    assert lost not in talk.agents
    assert len(talk.agents) == 1
    assert dispatches(talk.lkps) == ["failed"]
    (row,) = rows_of(talk.lkps, "session.job_ended")
    assert (row["reason"], row["comment"], row["participant_identity"]) == (
        "failed",
        "exit_-9",
        lost,
    )


@pytest.mark.parametrize("first", ["report", "event"])
async def test_an_agent_that_is_done_is_not_replaced(talk: Talk, first: str) -> None:
    registration_id = (await talk.lkps.register())["registration_id"]
    (done,) = talk.agents
    talk.leave(done)
    if first == "event":
        await talk.tell("participant_left", done)
    await talk.report(registration_id, done, "completed")
    if first == "report":
        await talk.tell("participant_left", done)
    talk.lkps.clock.pass_by(60)
    shown = await talk.show()
    assert (shown["agent_status"], shown["agent_outcome"]) == ("left", "completed")
    assert dispatches(talk.lkps) == []


async def test_an_agent_that_went_by_itself_is_not_replaced_until_its_worker_says_it_failed(
    talk: Talk,
) -> None:
    registration_id = (await talk.lkps.register())["registration_id"]
    (gone,) = talk.agents
    talk.leave(gone)
    await talk.tell("participant_left", gone)
    talk.lkps.clock.pass_by(60)
    assert (await talk.show())["agent_status"] == "left"
    await talk.report(registration_id, gone, "failed")
    assert dispatches(talk.lkps) == ["failed"]
    assert (await talk.show())["agent_status"] == "joined"


async def test_an_agent_that_nobody_told_of_is_replaced_after_a_moment(talk: Talk) -> None:
    """No event came, no worker said anything: it is not there."""
    talk.leave(*talk.agents)
    assert (await talk.show())["agent_status"] == "left"
    talk.lkps.clock.pass_by(39)
    assert (await talk.show())["agent_status"] == "left"
    talk.lkps.clock.pass_by(1)
    assert (await talk.show())["agent_status"] == "dispatched"
    assert (await talk.show())["agent_status"] == "joined"
    assert dispatches(talk.lkps) == ["vanished"]


async def test_an_agent_that_fails_when_everybody_has_left_is_not_replaced(talk: Talk) -> None:
    registration_id = (await talk.lkps.register())["registration_id"]
    (lost,) = talk.agents
    talk.leave()
    await talk.report(registration_id, lost, "failed")
    assert dispatches(talk.lkps) == []
    talk.enter("who comes back")
    await talk.show()
    assert dispatches(talk.lkps) == ["failed"]


async def test_an_agent_that_does_not_come_is_dispatched_twice_more_and_then_absent(
    lkps: Lkps,
) -> None:
    lkps.rooms.workers.clear()
    talk = await started(lkps)
    for dispatched in (1, 2, 3):
        shown = await talk.show()
        assert (shown["agent_status"], shown["agent_dispatches"]) == ("dispatched", dispatched)
        lkps.clock.pass_by(9.9)
        assert (await talk.show())["agent_dispatches"] == dispatched
        lkps.clock.pass_by(0.1)
    assert (await talk.show())["agent_status"] == "absent"
    assert dispatches(lkps) == ["did_not_come"] * 2


async def test_an_agent_that_failed_before_it_joined_is_dispatched_again(lkps: Lkps) -> None:
    registration_id = (await lkps.register())["registration_id"]
    talk = await started(lkps)
    (failed,) = talk.agents
    talk.leave(failed)
    await talk.report(registration_id, failed, "failed")
    assert dispatches(lkps) == ["failed"]
    assert (await talk.show())["agent_status"] == "joined"


async def test_what_is_told_of_an_earlier_job_late_does_not_disturb_the_present_one(
    talk: Talk,
) -> None:
    registration_id = (await talk.lkps.register())["registration_id"]
    (lost,) = talk.agents
    talk.leave(lost)
    await talk.tell("participant_left", lost, "CONNECTION_TIMEOUT")
    present = talk.agents
    await talk.report(registration_id, lost, "failed")
    await talk.tell("participant_left", lost, "CONNECTION_TIMEOUT")
    assert talk.agents == present
    assert dispatches(talk.lkps) == ["vanished"]


async def test_of_an_agent_that_is_offline_nothing_is_dispatched_until_it_is_back(
    talk: Talk,
) -> None:
    (lost,) = talk.agents
    talk.leave(lost)
    talk.lkps.clock.pass_by(180)
    await talk.tell("participant_left", lost, "CONNECTION_TIMEOUT")
    assert dispatches(talk.lkps) == []
    await talk.lkps.register()
    assert (await talk.show())["agent_dispatches"] == 2
    assert dispatches(talk.lkps) == ["vanished"]


async def test_a_blocked_agent_is_not_dispatched_again(talk: Talk) -> None:
    """The block ends the session; until then nothing brings its agent back."""
    (lost,) = talk.agents
    by = PrincipalId(TENANT, guid("somebody"))
    await talk.lkps.revocations.add(
        Revocation("agent:concierge", "a test", by, talk.lkps.clock.now)
    )
    talk.leave(lost)
    await replace(talk, lkps=talk.lkps.another_process()).tell(
        "participant_left", lost, "CONNECTION_TIMEOUT"
    )
    assert dispatches(talk.lkps) == []


async def test_two_who_see_it_at_once_dispatch_one_agent(talk: Talk) -> None:
    (lost,) = talk.agents
    talk.leave(lost)
    processes = [talk.lkps.another_process() for _ in range(2)]
    processes[1] = replace(processes[1], seed=7)
    await asyncio.gather(
        *(
            replace(talk, lkps=one).tell("participant_left", lost, "CONNECTION_TIMEOUT")
            for one in processes
        )
    )
    assert talk.row.dispatches == 2
    assert len(talk.agents) == 1
    assert dispatches(talk.lkps) == ["vanished"]


async def test_a_dispatch_that_livekit_did_not_answer_is_tried_again(talk: Talk) -> None:
    (lost,) = talk.agents
    talk.leave(lost)
    rooms = SteppingRooms(talk.lkps.rooms)
    rooms.refuse("dispatch_anew")
    stuck = replace(talk, lkps=replace(talk.lkps, rooms=rooms, seed=5))
    with pytest.raises(AssertionError, match="livekit_unavailable"):
        await stuck.tell("participant_left", lost, "CONNECTION_TIMEOUT")
    assert (await talk.show())["agent_status"] == "dispatched"
    talk.lkps.clock.pass_by(10)
    await talk.show()
    assert sorted(dispatches(talk.lkps)) == ["did_not_come", "vanished"]
    assert len(talk.agents) == 1


async def test_of_two_own_agents_the_one_that_came_later_is_put_out(talk: Talk) -> None:
    (first,) = talk.agents
    talk.lkps.clock.pass_by(1)
    talk.room.jobs.add("agent-AJ_99")
    talk.enter("agent-AJ_99")
    await talk.tell("participant_joined", "agent-AJ_99")
    assert talk.agents == [first]
    (row,) = rows_of(talk.lkps, "session.agent_removed")
    assert (row["reason"], row["participant_identity"]) == ("second_agent", "agent-AJ_99")


@pytest.mark.usefixtures("promptly")
async def test_an_agent_that_is_no_job_of_the_session_is_put_out_and_recorded(talk: Talk) -> None:
    (own,) = talk.agents
    talk.enter("agent-AJ_99")
    await talk.tell("participant_joined", "agent-AJ_99")
    await until(lambda: talk.agents == [own])
    await until(lambda: len(rows_of(talk.lkps, "session.agent_removed")) == 1)
    (row,) = rows_of(talk.lkps, "session.agent_removed")
    assert (row["reason"], row["session_id"]) == ("foreign_agent", talk.id)
    assert (row["operation"], row["participant_identity"]) == ("livekit_webhook", "agent-AJ_99")
    assert "oid" not in row


@pytest.mark.usefixtures("promptly")
async def test_an_own_agent_that_livekit_lists_late_stays(lkps: Lkps) -> None:
    talk = await started(lkps)
    (own,) = talk.agents
    rooms = SteppingRooms(lkps.rooms)
    talk.room.jobs.clear()
    watched = replace(talk, lkps=replace(lkps, rooms=rooms, seed=5))
    for _ in range(2):  # as the event is heard
        rooms.steps.once("look", "before", _nothing)
    stop = rooms.steps.stop("look", "before")
    await watched.tell("participant_joined", own)
    await stop.reached.wait()
    talk.room.jobs.add(own)
    stop.release()
    await until(lambda: not any(t.get_name() == "second look" for t in asyncio.all_tasks()))
    assert talk.agents == [own]
    assert rows_of(lkps, "session.agent_removed") == []


async def _nothing() -> None:
    return


async def test_a_room_that_livekit_closed_ends_its_session(talk: Talk) -> None:
    talk.lkps.clock.pass_by(30)
    talk.close()
    await talk.tell("room_finished")
    shown = await talk.show()
    assert (shown["state"], shown["cause"]) == ("ended", "everyone_left")
    (row,) = rows_of(talk.lkps, "session.ended")
    assert (row["reason"], row["rule"], row["operation"]) == (
        "everyone_left",
        "session_life",
        "livekit_webhook",
    )


async def test_a_room_that_nobody_joined_is_told_from_one_that_everybody_left(lkps: Lkps) -> None:
    talk = await started(lkps)
    lkps.clock.pass_by(360)
    talk.close()
    await talk.tell("room_finished")
    assert (await talk.show())["cause"] == "nobody_joined"
    lkps.clock.pass_by(-300)
    await talk.tell("participant_joined")  # comes late
    shown = await talk.show()
    assert (shown["cause"], shown["joined_at"]) == ("everyone_left", "2026-03-14T09:27:53Z")


async def test_an_event_of_a_room_that_stands_ends_nothing(talk: Talk) -> None:
    talk.lkps.clock.pass_by(30)
    await talk.tell("room_finished")
    assert (await talk.show())["state"] == "joined"


async def test_a_session_over_its_time_ends_when_it_is_looked_at(talk: Talk) -> None:
    talk.lkps.clock.now += timedelta(hours=4)
    shown = await talk.show()
    assert (shown["state"], shown["cause"]) == ("ended", "time_over")
    assert talk.lkps.rooms.rooms == {}


async def test_a_session_that_everybody_left_ends_though_its_room_stands(talk: Talk) -> None:
    talk.leave()
    await talk.show()
    talk.lkps.clock.pass_by(59)
    assert (await talk.show())["state"] == "joined"
    talk.lkps.clock.pass_by(1)
    assert (await talk.show())["cause"] == "everyone_left"


async def test_somebody_who_comes_back_keeps_the_session(talk: Talk) -> None:
    talk.leave()
    await talk.show()
    talk.lkps.clock.pass_by(59)
    talk.enter()
    await talk.show()
    talk.leave()
    talk.lkps.clock.pass_by(59)
    assert (await talk.show())["state"] == "joined"


async def test_the_instance_that_started_a_session_looks_once_whether_its_agent_came(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_AFTER", 0.0)
    lkps.rooms.workers.clear()
    rooms = SteppingRooms(lkps.rooms)
    stop = rooms.steps.stop("look", "before")
    talk = await started(replace(lkps, rooms=rooms, seed=5))
    await stop.reached.wait()
    lkps.clock.pass_by(10)
    stop.release()
    await until(lambda: talk.row.dispatches == 2)
    assert dispatches(lkps) == ["did_not_come"]
