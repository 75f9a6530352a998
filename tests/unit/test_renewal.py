"""The heartbeat of a registration: what it extends, and when it brings a new token."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest

from lkps_core.agents.model import Registration
from tests.builders.lkps import ADMIN, AGENT, Answered, Lkps, guid
from tests.builders.stepping import SteppingRegistrations
from tests.builders.tokens import NOW, TENANT


async def renew(lkps: Lkps, held: dict[str, Any], **changes: object) -> Answered:
    body = {"token_expires_at": held["expires_at"], "routing_version": 1, **changes}
    path = f"agent/registrations/{held['registration_id']}/renew"
    return await lkps.send("POST", path, body, by=AGENT)


async def lease(lkps: Lkps) -> Registration:
    (registration,) = await lkps.registrations.live("concierge", NOW, 99)
    return registration


async def test_an_early_renewal_extends_the_lease_and_does_nothing_else(lkps: Lkps) -> None:
    held = await lkps.register()
    before = lkps.rows
    lkps.clock.pass_by(60)
    answer = await renew(lkps, held)
    assert answer.json == {
        "deployment": held["deployment"],
        "routing_version": 1,
        "expires_at": held["expires_at"],
        "renew_after": 60,
    }
    assert (await lease(lkps)).lease_until == lkps.clock() + timedelta(seconds=180)
    assert lkps.rows == before


@pytest.mark.parametrize(("age", "is_new"), [(1799, False), (1800, True), (3599, True)])
async def test_a_new_token_comes_once_half_of_the_held_ones_life_is_over(
    lkps: Lkps, age: int, is_new: bool
) -> None:
    held = await lkps.register()
    lkps.clock.pass_by(age)
    answer = (await renew(lkps, held)).json
    assert ("token" in answer) == is_new
    assert [row["action"] for row in lkps.rows].count("agent.renewed") == int(is_new)


async def test_the_new_token_is_for_the_same_registration_and_a_whole_life(lkps: Lkps) -> None:
    held = await lkps.register()
    lkps.clock.pass_by(1800)
    answer = (await renew(lkps, held)).json
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert claims["sub"] == held["registration_id"]
    assert claims["exp"] == lkps.clock().timestamp() + 3600
    assert answer["expires_at"] == "2026-03-14T10:56:53Z"


async def test_a_lease_that_ran_out_can_be_taken_up_again(lkps: Lkps) -> None:
    held = await lkps.register()
    lkps.clock.pass_by(1000)
    assert (await renew(lkps, held)).status == 200
    shown = (await lkps.send("GET", "agents/concierge", by=ADMIN)).json
    assert [one["registration_id"] for one in shown["instances"]] == [held["registration_id"]]


async def test_the_routing_version_in_use_is_noted(lkps: Lkps) -> None:
    held = await lkps.register()
    stored = await lkps.agents.get("agents", "concierge")
    assert stored is not None
    await lkps.agents.replace(replace(stored.row, routing_version=3), stored.etag)
    lkps.clock.pass_by(60)
    await renew(lkps, held, routing_version=2)
    assert (await lease(lkps)).routing_version == 2


async def test_a_routing_version_that_the_agent_has_not_come_to_is_not_believed(
    lkps: Lkps,
) -> None:
    held = await lkps.register()
    assert (await renew(lkps, held, routing_version=7)).status == 200
    assert (await lease(lkps)).routing_version == 1


async def test_a_rotated_routing_secret_comes_with_the_next_renewal(lkps: Lkps) -> None:
    held = await lkps.register()
    stored = await lkps.agents.get("agents", "concierge")
    assert stored is not None
    await lkps.agents.replace(replace(stored.row, routing_version=2), stored.etag)
    lkps.clock.pass_by(60)
    answer = (await renew(lkps, held)).json
    assert answer["routing_version"] == 2
    assert answer["deployment"] != held["deployment"]


async def test_who_is_no_longer_a_runner_is_renewed_no_more(lkps: Lkps) -> None:
    held = await lkps.register()
    runner = {"tid": TENANT, "oid": guid("sp other agent")}
    await lkps.another_process().assign({"runners": [runner]})
    lkps.clock.pass_by(5)
    before = await lease(lkps)
    answer = await renew(lkps, held)
    assert (answer.status, answer.json["code"]) == (403, "agent_not_runnable")
    assert await lease(lkps) == before
    assert "no_longer_a_runner" in [row.get("reason") for row in lkps.rows]


async def test_of_two_renewals_in_one_moment_the_later_one_is_told_to_try_again(lkps: Lkps) -> None:
    held = await lkps.register()
    table = SteppingRegistrations(lkps.registrations)
    stop = table.steps.stop("replace", "before")
    late = asyncio.create_task(renew(replace(lkps, registrations=table, seed=5), held))
    await stop.reached.wait()
    lkps.clock.pass_by(1)
    assert (await renew(lkps, held)).status == 200
    stop.release()
    answer = await late
    assert (answer.status, answer.json["code"]) == (409, "edited_meanwhile")
    assert answer.headers["Retry-After"] == "1"


async def test_no_new_token_leaves_when_the_lease_cannot_be_written(lkps: Lkps) -> None:
    held = await lkps.register()
    lkps.clock.pass_by(1800)
    table = SteppingRegistrations(lkps.registrations)
    table.refuse("replace")
    answer = await renew(replace(lkps, registrations=table, seed=5), held)
    assert (answer.status, answer.json["code"]) == (503, "storage_unavailable")


@pytest.mark.usefixtures("impatient")
async def test_no_new_token_leaves_without_its_row(lkps: Lkps) -> None:
    held = await lkps.register()
    lkps.clock.pass_by(1800)
    lkps.trail.down = True
    answer = await renew(lkps, held)
    assert (answer.status, answer.json["code"]) == (503, "audit_unavailable")


@pytest.mark.usefixtures("impatient")
async def test_a_lease_is_extended_without_the_trail_where_no_token_is_due(lkps: Lkps) -> None:
    held = await lkps.register()
    lkps.trail.down = True
    assert (await renew(lkps, held)).status == 200


@pytest.mark.parametrize(
    "moment",
    [
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2026-03-14T10:26:53",
        "2026-03-14",
        "tomorrow",
        "",
        "2026-13-14T10:26:53Z",
        "2026-03-14T10:26:53Z" + " " * 40,
        1773484013,
        None,
        ["2026-03-14T10:26:53Z"],
    ],
)
async def test_the_expiry_must_be_a_moment_in_time(lkps: Lkps, moment: object) -> None:
    held = await lkps.register()
    answer = await renew(lkps, held, token_expires_at=moment)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/token_expires_at")


async def test_an_expiry_may_be_told_in_any_offset(lkps: Lkps) -> None:
    held = await lkps.register()
    answer = await renew(lkps, held, token_expires_at="2026-03-14T12:26:53+02:00")
    assert answer.json["expires_at"] == "2026-03-14T10:26:53Z"


@pytest.mark.parametrize("version", [0, -1, 2**31, 1.0, "1", True, None])
async def test_a_routing_version_is_a_whole_number_of_at_least_one(
    lkps: Lkps, version: object
) -> None:
    held = await lkps.register()
    assert (await renew(lkps, held, routing_version=version)).status == 422
