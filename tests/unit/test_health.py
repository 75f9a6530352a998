"""Liveness and readiness, and who learns how much."""

import asyncio
from dataclasses import replace

import pytest

from lkps_core import health
from lkps_core.errors import LiveKitUnavailable
from tests.builders.lkps import ADMIN, AGENT, ALICE, CLIENT, Lkps, user
from tests.builders.stepping import SteppingRows

ADMIN_PERSON = user("ada", "Platform.Admin", roles=("LKPS.Admin",))


async def test_a_process_that_answers_is_live_whatever_else_is_down(lkps: Lkps) -> None:
    lkps.rooms.down = lkps.agents.down = True
    lkps.keys.is_reachable = False
    answer = await lkps.send("GET", "health/live")
    assert (answer.status, answer.json) == (200, {"status": "live"})


async def test_with_every_dependency_it_is_ready(lkps: Lkps) -> None:
    answer = await lkps.send("GET", "health/ready")
    assert (answer.status, answer.json) == (200, {"status": "ready"})


async def test_without_one_it_is_not(lkps: Lkps) -> None:
    lkps.rooms.down = True
    answer = await lkps.send("GET", "health/ready")
    assert (answer.status, answer.json) == (503, {"status": "not_ready"})
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("by", [ADMIN, ADMIN_PERSON])
async def test_an_admin_learns_the_state_of_each(lkps: Lkps, by: str) -> None:
    lkps.rooms.down = True
    answer = await lkps.send("GET", "health/ready", by=by)
    assert answer.json == {
        "status": "not_ready",
        "dependencies": {"keys": "ready", "livekit": "livekit_unavailable", "tables": "ready"},
    }


@pytest.mark.parametrize(
    "by",
    [AGENT, CLIENT, ALICE, user("ada", "Platform.Admin"), "Bearer a.b.c", "Basic x", ""],
)
async def test_nobody_else_learns_more_than_the_answer(lkps: Lkps, by: str) -> None:
    answer = await lkps.send("GET", "health/ready", by=by)
    assert (answer.status, answer.json) == (200, {"status": "ready"})


async def test_each_dependency_has_its_own_state(lkps: Lkps) -> None:
    lkps.agents.down = True
    ready = await lkps.send("GET", "health/ready", by=ADMIN)
    assert ready.json["dependencies"]["tables"] == "storage_unavailable"
    cold = Lkps(keys=lkps.keys, clock=lkps.clock)
    cold.keys.is_reachable = False
    readiness = await cold.services.health.readiness()
    assert readiness.states == {"keys": "keys_unavailable", "livekit": "ready", "tables": "ready"}


async def test_what_was_learnt_is_good_for_five_seconds(lkps: Lkps) -> None:
    lkps.rooms.down = True
    assert (await lkps.send("GET", "health/ready")).status == 503
    lkps.rooms.down = False
    assert (await lkps.send("GET", "health/ready")).status == 503
    lkps.clock.pass_by(5)
    assert (await lkps.send("GET", "health/ready")).status == 200


async def test_many_questions_at_once_are_one(lkps: Lkps) -> None:
    table = SteppingRows(lkps.agents)
    stop = table.steps.stop("get", "before")
    asked = replace(lkps, agents=table, seed=3)
    questions = [asyncio.create_task(asked.send("GET", "health/ready")) for _ in range(20)]
    await stop.reached.wait()
    stop.release()
    assert {(await question).status for question in questions} == {200}
    assert table.calls == ["get"]


async def test_a_dependency_that_hangs_is_told_as_such(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_PROBE_SECONDS", 0.02)
    table = SteppingRows(lkps.agents)
    stop = table.steps.stop("get", "before")
    readiness = await replace(lkps, agents=table, seed=3).services.health.readiness()
    assert readiness.states["tables"] == "timeout"
    assert not readiness.ready
    stop.release()


async def test_a_dependency_that_fails_in_between_is_refreshed_off_the_path(lkps: Lkps) -> None:
    assert (await lkps.services.health.readiness()).ready
    lkps.clock.pass_by(2.5)
    lkps.rooms.down = True
    assert (await lkps.services.health.readiness()).ready
    await asyncio.sleep(0.01)
    readiness = await lkps.services.health.readiness()
    assert readiness.states["livekit"] == LiveKitUnavailable.code
