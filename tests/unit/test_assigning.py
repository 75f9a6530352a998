"""Whose an agent name is, and what an assignment leaves as it was."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.builders.lkps import ADMIN, AGENT, Answered, Lkps, guid, user
from tests.builders.stepping import SteppingRows
from tests.builders.tokens import TENANT

ADMIN_PERSON = user("ada", "Platform.Admin", roles=("LKPS.Admin",))


def ids(*names: str) -> list[dict[str, str]]:
    return [{"tid": TENANT, "oid": guid(f"sp {name}")} for name in names]


async def assign(lkps: Lkps, by: str = ADMIN, **body: Any) -> Answered:  # noqa: ANN401
    return await lkps.assign(body, by=by)


@pytest.mark.parametrize("by", [ADMIN, ADMIN_PERSON])
async def test_an_admin_gives_a_new_name_to_its_runners_and_owners(lkps: Lkps, by: str) -> None:
    answer = await assign(lkps, by, runners=ids("one"), owners=ids("two"), beat_id="BEAT-7")
    assert answer.json == {
        "name": "concierge",
        "runners": ids("one"),
        "owners": ids("two"),
        "beat_id": "BEAT-7",
        "access_mode": "open",
        "report_only": False,
        "blocked": False,
        "routing_version": 1,
        "created_at": "2026-03-14T09:26:53Z",
        "instances": [],
    }
    assert (await lkps.send("GET", "agents/concierge", by=ADMIN)).json == answer.json


async def test_a_member_that_is_left_out_becomes_empty(lkps: Lkps) -> None:
    await assign(lkps, runners=ids("one"), owners=ids("two"), beat_id="BEAT-7")
    answer = (await assign(lkps, owners=ids("two"))).json
    assert (answer["runners"], answer.get("beat_id")) == ([], None)


async def test_neither_its_age_nor_its_routing_version_nor_its_instances_change(
    lkps: Lkps,
) -> None:
    registration = await lkps.register()
    stored = await lkps.agents.get("agents", "concierge")
    assert stored is not None
    await lkps.agents.replace(replace(stored.row, routing_version=3), stored.etag)
    lkps.clock.pass_by(60)
    answer = (await assign(lkps, runners=ids("agent"))).json
    assert (answer["created_at"], answer["routing_version"]) == ("2026-03-14T09:26:53Z", 3)
    assert [one["registration_id"] for one in answer["instances"]] == [
        registration["registration_id"]
    ]


async def test_who_is_named_twice_is_one(lkps: Lkps) -> None:
    assert (await assign(lkps, runners=ids("one", "one"))).json["runners"] == ids("one")


async def test_the_trail_has_the_admin_and_whom_they_named(lkps: Lkps) -> None:
    await assign(lkps, runners=ids("one"), owners=ids("two"), beat_id="BEAT-7")
    (row,) = lkps.rows
    assert (row["action"], row["agent_name"], row["beat_id"]) == (
        "agent.assigned",
        "concierge",
        "BEAT-7",
    )
    assert row["oid"] == guid("sp admin")
    assert row["after"]["runners"] == [f"{TENANT}:{guid('sp one')}"]
    assert row["after"]["owners"] == [f"{TENANT}:{guid('sp two')}"]


@pytest.mark.usefixtures("impatient")
async def test_without_its_row_nothing_is_assigned(lkps: Lkps) -> None:
    lkps.trail.down = True
    assert (await assign(lkps, runners=ids("one"))).status == 503
    assert await lkps.agents.get("agents", "concierge") is None


@pytest.mark.parametrize("is_new", [True, False])
async def test_of_two_admins_in_one_moment_the_later_one_is_told(lkps: Lkps, is_new: bool) -> None:
    if not is_new:
        await lkps.register()
    table = SteppingRows(lkps.agents)
    stop = table.steps.stop("add" if is_new else "replace", "before")
    late = asyncio.create_task(assign(replace(lkps, agents=table, seed=3), runners=ids("late")))
    await stop.reached.wait()
    assert (await assign(lkps, runners=ids("first"))).status in (200, 201)
    stop.release()
    answer = await late
    assert (answer.status, answer.json["code"]) == (409, "edited_meanwhile")
    shown = (await lkps.send("GET", "agents/concierge", by=ADMIN)).json
    assert shown["runners"] == ids("first")


async def test_the_process_that_assigned_knows_it_at_once(lkps: Lkps) -> None:
    await lkps.register()
    await assign(lkps, runners=ids("other agent"))
    answer = await lkps.send("POST", "agent/register", {"agent_name": "concierge"}, by=AGENT)
    assert answer.json["code"] == "agent_not_runnable"
