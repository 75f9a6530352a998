"""The platform's limits: read, set, and what they do."""

import asyncio
from dataclasses import replace

import pytest

from tests.builders.lkps import ADMIN, AGENT, CLIENT, Answered, Lkps, guid
from tests.builders.stepping import SteppingRows
from tests.unit.governance.arranging import ADA, OLGA, OWNER, governed, outcome, person, refused

DEFAULTS = {"starts_per_minute_per_application": 1200, "starts_per_minute_per_user": 60}
ANN, BOB = person("ann"), person("bob")


@pytest.fixture
async def lkps() -> Lkps:
    return await governed(access_mode="open")


async def read(lkps: Lkps, *, by: str = ADA) -> Answered:
    return await lkps.send("GET", "limits", by=by)


async def limit(lkps: Lkps, limits: object, *, by: str = ADA, etag: str | None = "*") -> Answered:
    headers = {"if-match": etag} if etag else {}
    return await lkps.send("PUT", "limits", limits, by=by, headers=headers)


async def test_limits_that_nobody_set_are_the_defaults(lkps: Lkps) -> None:
    answer = await read(lkps)
    assert (answer.status, answer.json) == (200, DEFAULTS)


@pytest.mark.parametrize("by", [ADA, ADMIN])
async def test_limits_are_set_as_a_whole(lkps: Lkps, by: str) -> None:
    limits = {
        "starts_per_minute_per_application": 600,
        "starts_per_minute_per_user": 6,
        "max_sessions_per_agent": 50,
        "max_session_seconds": 3600,
    }
    answer = await limit(lkps, limits, by=by)
    assert (answer.status, answer.json) == (200, limits)
    assert (await read(lkps.another_process())).json == limits
    again = await limit(lkps, {"max_sessions_per_agent": 50})
    assert again.json == {**DEFAULTS, "max_sessions_per_agent": 50}


async def test_the_answer_has_the_etag_to_change_it_with(lkps: Lkps) -> None:
    first = (await read(lkps)).headers["ETag"]
    second = await limit(lkps, {"max_session_seconds": 60}, etag=first)
    assert second.headers["ETag"] == (await read(lkps)).headers["ETag"] != first
    third = await limit(lkps, {}, etag=second.headers["ETag"])
    assert third.headers["ETag"] == first


async def test_two_admins_who_edit_do_not_overwrite_each_other(lkps: Lkps) -> None:
    assert refused(await limit(lkps, {}, etag=None)) == (428, "precondition_required")
    etag = (await read(lkps)).headers["ETag"]
    assert (await limit(lkps, {"max_session_seconds": 60}, etag=etag)).status == 200
    late = await limit(lkps, {"max_session_seconds": 70}, by=ADMIN, etag=etag)
    assert refused(late) == (412, "precondition_failed")
    assert (await read(lkps)).json["max_session_seconds"] == 60


@pytest.mark.parametrize("is_new", [True, False])
async def test_of_two_admins_in_one_moment_the_later_one_is_told(lkps: Lkps, is_new: bool) -> None:
    if not is_new:
        await limit(lkps, {"max_session_seconds": 50})
    table = SteppingRows(lkps.limits)
    stop = table.steps.stop("add" if is_new else "replace", "before")
    late = asyncio.create_task(
        limit(replace(lkps, limits=table, seed=3), {"max_session_seconds": 70})
    )
    await stop.reached.wait()
    await limit(lkps, {"max_session_seconds": 60})
    stop.release()
    assert refused(await late) == (409, "edited_meanwhile")
    assert (await read(lkps)).json["max_session_seconds"] == 60


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("starts_per_minute_per_application", 0),
        ("starts_per_minute_per_application", None),
        ("starts_per_minute_per_user", 100_001),
        ("max_sessions_per_agent", 0),
        ("max_session_seconds", 9),
        ("max_session_seconds", "60"),
        ("max_rooms", 1),
    ],
)
async def test_a_limit_that_cannot_be_is_refused_by_its_pointer(
    lkps: Lkps, member: str, value: object
) -> None:
    answer = await limit(lkps, {member: value})
    assert refused(answer) == (422, "body_invalid")
    assert answer.json["errors"][0]["pointer"] == f"/{member}"


async def test_the_trail_has_the_limits_that_changed(lkps: Lkps) -> None:
    await limit(lkps, {"starts_per_minute_per_user": 6, "max_session_seconds": 60})
    row = lkps.rows[-1]
    assert (row["action"], row["oid"]) == ("limits.changed", guid("user ada"))
    assert row["before"] == {"starts_per_minute_per_user": 60, "max_session_seconds": None}
    assert row["after"] == {"starts_per_minute_per_user": 6, "max_session_seconds": 60}


async def test_limits_as_they_are_are_not_recorded(lkps: Lkps) -> None:
    rows = lkps.rows
    assert (await limit(lkps, DEFAULTS)).status == 200
    assert (lkps.rows, lkps.limits._rows) == (rows, {})
    await limit(lkps, {"max_session_seconds": 60})
    rows = lkps.rows
    assert (await limit(lkps, {"max_session_seconds": 60})).status == 200
    assert lkps.rows == rows


@pytest.mark.usefixtures("impatient")
async def test_without_the_trail_no_limit_changes(lkps: Lkps) -> None:
    lkps.trail.down = True
    answer = await limit(lkps, {"max_session_seconds": 60})
    assert refused(answer) == (503, "audit_unavailable")
    lkps.trail.down = False
    assert (await read(lkps)).json == DEFAULTS


@pytest.mark.parametrize("by", [OLGA, OWNER, AGENT, CLIENT])
async def test_only_admins_read_and_set_limits(lkps: Lkps, by: str) -> None:
    for answer in (await read(lkps, by=by), await limit(lkps, {}, by=by)):
        assert refused(answer) == (403, "permission_lacking")


async def test_no_agent_has_more_sessions_than_the_platform_allows(lkps: Lkps) -> None:
    elsewhere = lkps.another_process()
    assert (await outcome(lkps, CLIENT), await outcome(elsewhere, CLIENT)) == (200, 200)
    await limit(lkps, {"max_sessions_per_agent": 3})
    await lkps.assign({"access_mode": "open"}, "other")
    assert [await outcome(lkps, CLIENT) for _ in range(2)] == [200, "too_many_sessions"]
    (row,) = (row for row in lkps.rows if row["action"] == "request.refused")
    assert row["reason"] == "platform_sessions_limit"
    lkps.clock.pass_by(5)
    assert await outcome(elsewhere, CLIENT) == "too_many_sessions"
    assert await outcome(lkps, CLIENT, "other") == 200


async def test_report_only_does_not_lift_the_platforms_limit() -> None:
    lkps = await governed(access_mode="open", report_only=True)
    await limit(lkps, {"max_sessions_per_agent": 1})
    assert [await outcome(lkps, CLIENT) for _ in range(2)] == [200, "too_many_sessions"]


async def test_no_session_is_longer_than_the_platform_allows(lkps: Lkps) -> None:
    await limit(lkps, {"max_session_seconds": 600})
    session_id = (await lkps.start()).json["session_id"]
    answer = await lkps.send("GET", f"session/{session_id}", by=CLIENT)
    assert answer.json["ends_at"] == "2026-03-14T09:36:53Z"


async def test_a_user_starts_so_many_sessions_a_minute_and_is_told_when_the_next_may_be(
    lkps: Lkps,
) -> None:
    await limit(lkps, {"starts_per_minute_per_user": 2})
    assert await outcome(lkps, BOB) == 200  # from then on the new limit is known
    assert await outcome(lkps, ANN) == 200
    lkps.clock.pass_by(20)
    assert await outcome(lkps, ANN) == 200
    answer = await lkps.start(by=ANN)
    assert refused(answer) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == "40"
    assert lkps.rows[-1]["reason"] == "starts_per_minute_per_user"
    assert await outcome(lkps, BOB) == 200
    lkps.clock.pass_by(40)
    assert await outcome(lkps, ANN) == 200


async def test_an_application_and_its_users_start_so_many_sessions_a_minute(lkps: Lkps) -> None:
    await limit(lkps, {"starts_per_minute_per_application": 3})
    assert await outcome(lkps, CLIENT) == 200
    assert [await outcome(lkps, by) for by in (ANN, BOB, ANN)] == [200, 200, 200]
    assert await outcome(lkps, BOB) == "rate_limited"
    assert await outcome(lkps, CLIENT) == 200
