"""Granting: which applications may call an agent, for whom, until when, and how that is told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lkps_core.governance.granting import MOST_OF_A_CLIENT
from tests.builders.lkps import ADMIN, ALICE, CLIENT, OTHER_CLIENT, Answered, Lkps, app, guid
from tests.builders.stepping import SteppingRows
from tests.builders.tokens import NOW, TENANT
from tests.unit.governance.arranging import (
    ADA,
    CRM,
    CRM_ID,
    OLGA,
    OTHER_OWNER,
    OWNER,
    SALES,
    Plain,
    actions,
    calls,
    change,
    governed,
    grant,
    granted,
    ids,
    outcome,
    person,
    plain,
    refused,
    since,
)

ANN = person("ann")
SALES_ANN = person("ann", groups=[guid("group other"), SALES])
BOB = person("bob")
ANN_ELSEWHERE = person("ann", through="another app")
OVERAGE_ANN = person("ann", overage=True)
OTHER_INSTANCE_OF_CRM = app("crm", "LKPS.Client", "LKPS.Manage")

SCOPES: dict[str, dict[str, Any]] = {
    "application": {},
    "any_user": {"any_user": True},
    "group": {"group_id": SALES},
    "user": {"user_oid": guid("user ann")},
}
CALLERS = {
    "the application": CRM,
    "another application": CLIENT,
    "the user": ANN,
    "the user in the group": SALES_ANN,
    "another user": BOB,
    "the user through another application": ANN_ELSEWHERE,
}
LET_IN = {
    "application": {"the application"},
    "any_user": {"the user", "the user in the group", "another user"},
    "group": {"the user in the group"},
    "user": {"the user", "the user in the group"},
}
UNKNOWN = f"{TENANT}:{CRM_ID}:" + "0" * 26


def later(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


def path(grant_id: str, name: str = "concierge") -> str:
    return f"agents/{name}/grants/{grant_id}"


async def read(lkps: Lkps, grant_id: str, *, by: str = OLGA) -> Answered:
    return await lkps.send("GET", path(grant_id), by=by)


async def alter(
    lkps: Lkps, grant_id: str, terms: object, *, by: str = OLGA, etag: str | None = "*"
) -> Answered:
    headers = {"if-match": etag} if etag else {}
    return await lkps.send("PATCH", path(grant_id), terms, by=by, headers=headers)


async def remove(lkps: Lkps, grant_id: str, *, by: str = OLGA, etag: str | None = None) -> Answered:
    headers = {"if-match": etag} if etag else {}
    return await lkps.send("DELETE", path(grant_id), by=by, headers=headers)


@pytest.mark.parametrize("by", [OLGA, OWNER, ADA, ADMIN])
@pytest.mark.parametrize("scope", SCOPES)
async def test_a_grant_is_answered_with_all_its_terms(lkps: Lkps, scope: str, by: str) -> None:
    terms = {
        **SCOPES[scope],
        "expires_at": "2026-04-01T00:00:00+02:00",
        "max_sessions": 20,
        "max_session_seconds": 1800,
        "report_only": True,
        "reason": "Sales in Europe call it from the CRM.",
    }
    answer = await grant(lkps, by=by, **terms)
    assert answer.status == 201
    given, grant_id = answer.json, answer.json["grant_id"]
    assert grant_id.startswith(f"{TENANT}:{CRM_ID}:")
    who = given.pop("granted_by")
    assert who["oid"] in {guid(one) for one in ("user olga", "sp owner", "user ada", "sp admin")}
    scoped = {name: value for name, value in SCOPES[scope].items() if name != "any_user"}
    assert given == {
        "grant_id": grant_id,
        "agent_name": "concierge",
        "client_app_id": CRM_ID,
        "scope": scope,
        **scoped,
        "expires_at": "2026-03-31T22:00:00Z",
        "max_sessions": 20,
        "max_session_seconds": 1800,
        "report_only": True,
        "reason": "Sales in Europe call it from the CRM.",
        "granted_at": "2026-03-14T09:26:53Z",
        "expired": False,
    }
    shown = await read(lkps.another_process(), grant_id)
    assert shown.json == answer.json
    assert shown.headers["ETag"] == answer.headers["ETag"]


async def test_each_scope_of_an_application_is_a_grant_of_its_own(lkps: Lkps) -> None:
    found = {await granted(lkps, **terms) for terms in SCOPES.values()}
    found.add(await granted(lkps, group_id=guid("group other")))
    found.add(await granted(lkps, client_app_id=guid("app another")))
    assert len(found) == 6


async def test_the_very_same_grant_again_is_a_success_with_one_row_on_the_trail(lkps: Lkps) -> None:
    first = await grant(lkps, max_sessions=3, expires_at="2026-04-01T00:00:00Z")
    lkps.clock.pass_by(60)
    again = await grant(lkps, by=OWNER, max_sessions=3, expires_at="2026-04-01T02:00:00+02:00")
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    assert again.headers["ETag"] == first.headers["ETag"]
    assert actions(lkps).count("grant.created") == 1


@pytest.mark.parametrize(
    "terms",
    [
        {"max_sessions": 3},
        {"max_session_seconds": 60},
        {"report_only": True},
        {"expires_at": "2026-04-01T00:00:00Z"},
        {"reason": "another reason"},
    ],
)
async def test_other_terms_for_the_same_callers_are_refused_and_name_the_grant(
    lkps: Lkps, terms: dict[str, Any]
) -> None:
    first = await grant(lkps)
    answer = await grant(lkps, **terms)
    assert refused(answer) == (409, "grant_exists")
    assert first.json["grant_id"] in answer.json["detail"]
    assert (await read(lkps, first.json["grant_id"])).json == first.json


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"any_user": True, "group_id": SALES}, ""),
        ({"group_id": SALES, "user_oid": SALES}, ""),
        ({"client_app_id": "crm"}, "/client_app_id"),
        ({"client_app_id": CRM_ID.upper()}, "/client_app_id"),
        ({"group_id": "sales"}, "/group_id"),
        ({"user_oid": ""}, "/user_oid"),
        ({"reason": "no"}, "/reason"),
        ({"reason": "line\nbreak"}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"expires_at": "2026-04-01"}, "/expires_at"),
        ({"expires_at": "2026-04-01T00:00:00"}, "/expires_at"),
        ({"expires_at": 1775000000}, "/expires_at"),
        ({"max_sessions": 0}, "/max_sessions"),
        ({"max_sessions": True}, "/max_sessions"),
        ({"max_session_seconds": 9}, "/max_session_seconds"),
        ({"report_only": 1}, "/report_only"),
        ({"grant_id": UNKNOWN}, "/grant_id"),
        ({"agent_name": "other"}, "/agent_name"),
    ],
)
async def test_terms_that_cannot_be_are_refused_by_their_pointer(
    lkps: Lkps, terms: dict[str, Any], pointer: str
) -> None:
    answer = await grant(lkps, **terms)
    assert refused(answer) == (422, "body_invalid")
    assert answer.json["errors"][0]["pointer"] == pointer
    assert lkps.grants._rows == {}


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_grant_lets_in_those_whom_it_is_for_and_nobody_else(lkps: Lkps, scope: str) -> None:
    """A user's token never counts as the application's, nor the other way round."""
    for by in CALLERS.values():
        assert await outcome(lkps, by) == "agent_not_callable"
    grant_id = await granted(lkps, **SCOPES[scope])
    outcomes = {name: await outcome(lkps, by) for name, by in CALLERS.items()}
    assert {name for name, one in outcomes.items() if one == 200} == LET_IN[scope]
    assert set(outcomes.values()) == {200, "agent_not_callable"}
    started = [row for row in lkps.rows if row["action"] == "session.authorized"]
    assert {(row["rule"], row["grant_id"]) for row in started} == {("granted", grant_id)}


async def test_a_grant_counts_at_once_for_whoever_was_refused_wherever_it_was_given(
    lkps: Lkps,
) -> None:
    assert await outcome(lkps, CRM) == "agent_not_callable"
    await granted(lkps.another_process())
    assert await outcome(lkps, CRM) == 200


async def test_a_grant_is_for_one_agent_only(lkps: Lkps) -> None:
    body = {"owners": ids("user olga"), "access_mode": "granted"}
    await lkps.assign(body, "other")
    await granted(lkps)
    assert await outcome(lkps, CRM, "other") == "agent_not_callable"


async def test_a_grant_ends_at_its_instant(lkps: Lkps) -> None:
    await granted(lkps, expires_at=later(10.5))
    lkps.clock.pass_by(10.499999)
    assert await outcome(lkps, CRM) == 200
    lkps.clock.pass_by(0.000001)
    assert await outcome(lkps, CRM) == "agent_not_callable"
    assert lkps.rows[-1]["reason"] == "grant_expired"


async def test_sessions_outlive_the_grant_that_they_were_started_under(lkps: Lkps) -> None:
    grant_id = await granted(lkps)
    session_id = (await lkps.start(by=CRM)).json["session_id"]
    assert (await remove(lkps, grant_id)).status == 204
    answer = await lkps.send("GET", f"session/{session_id}", by=CRM)
    assert answer.json["state"] == "created"
    assert len(lkps.rooms.rooms) == 1


async def test_a_grants_limits_hold(lkps: Lkps) -> None:
    await granted(lkps, max_sessions=2, max_session_seconds=1800)
    started = [(await lkps.start(by=CRM)).json for _ in range(2)]
    stored = await lkps.sessions.get("concierge", started[0]["session_id"])
    assert stored is not None
    assert (stored.row.ends_at - stored.row.created_at).total_seconds() == 1800
    assert await outcome(lkps, CRM) == "too_many_sessions"
    await lkps.send("POST", f"session/{started[0]['session_id']}/end", by=CRM)
    assert await outcome(lkps, CRM) == 200


async def test_a_longer_session_is_granted_to_who_has_several_grants(lkps: Lkps) -> None:
    await granted(lkps, any_user=True, max_session_seconds=60)
    of_ann = await granted(lkps, user_oid=guid("user ann"), max_session_seconds=600)
    assert await outcome(lkps, ANN) == 200
    assert lkps.rows[-1]["grant_id"] == of_ann


async def test_a_roll_out_records_who_would_be_denied_and_then_denies(lkps: Lkps) -> None:
    grant_id = await granted(lkps, group_id=SALES, report_only=True)
    assert (await outcome(lkps, BOB), await outcome(lkps, SALES_ANN)) == (200, 200)
    of_bob, of_ann = lkps.rows[-2:]
    assert (of_bob["action"], of_bob["outcome"]) == ("session.authorized", "success")
    assert (of_bob["rule"], of_bob["grant_id"]) == ("report_only_grant", grant_id)
    assert of_bob["would_deny"] == "group_lacking"
    assert (of_ann["rule"], of_ann["grant_id"]) == ("granted", grant_id)
    assert "would_deny" not in of_ann
    assert (await alter(lkps, grant_id, {"report_only": False})).status == 200
    assert await outcome(lkps, BOB) == "agent_not_callable"
    assert await outcome(lkps, SALES_ANN) == 200


async def test_report_only_lets_pass_neither_others_nor_what_has_expired(lkps: Lkps) -> None:
    await granted(lkps, group_id=SALES, report_only=True, expires_at=later(10))
    assert await outcome(lkps, CRM) == "agent_not_callable"
    assert await outcome(lkps, ANN_ELSEWHERE) == "agent_not_callable"
    lkps.clock.pass_by(10)
    assert await outcome(lkps, BOB) == "agent_not_callable"


async def test_closed_denies_whatever_is_granted_in_report_only(lkps: Lkps) -> None:
    await granted(lkps, report_only=True)
    await change(lkps, {"access_mode": "closed", "report_only": True})
    assert await outcome(lkps, CRM) == "agent_not_callable"


async def test_too_many_groups_to_name_are_refused_with_the_fix(lkps: Lkps) -> None:
    await granted(lkps, group_id=SALES)
    answer = await lkps.start(by=OVERAGE_ANN)
    assert refused(answer) == (403, "groups_overage")
    assert "only the groups that are assigned to the application" in answer.json["detail"]
    assert "grant the agent to the user" in answer.json["detail"]
    assert lkps.rows[-1]["reason"] == "groups_overage"


async def test_too_many_groups_do_not_matter_where_none_is_needed(lkps: Lkps) -> None:
    await granted(lkps, user_oid=guid("user ann"))
    assert await outcome(lkps, OVERAGE_ANN) == 200


async def test_too_many_groups_tell_nothing_of_an_agent(lkps: Lkps) -> None:
    await granted(lkps, group_id=SALES)
    answers = [
        plain(await lkps.start(name, by=by))
        for name in ("concierge", "nobody")
        for by in (OVERAGE_ANN, person("ann", through="another app", overage=True))
    ]
    assert all(one == answers[0] for one in answers)


@pytest.mark.parametrize(
    "terms",
    [
        {"expires_at": "2026-04-01T00:00:00Z"},
        {"max_sessions": 7},
        {"max_session_seconds": 600},
        {"report_only": True},
        {"reason": "another reason"},
    ],
)
async def test_one_term_is_changed_and_the_others_stay(lkps: Lkps, terms: dict[str, Any]) -> None:
    grant_id = await granted(lkps)
    before = (await read(lkps, grant_id)).json
    answer = await alter(lkps, grant_id, terms, by=OWNER)
    assert (answer.status, answer.json) == (200, {**before, **terms})
    assert (await read(lkps, grant_id)).headers["ETag"] == answer.headers["ETag"]


async def test_null_takes_an_expiry_or_a_limit_away(lkps: Lkps) -> None:
    terms: dict[str, Any] = {
        "expires_at": later(10),
        "max_sessions": 7,
        "max_session_seconds": 60,
    }
    grant_id = await granted(lkps, **terms)
    answer = await alter(lkps, grant_id, dict.fromkeys(terms))
    assert answer.status == 200
    assert terms.keys().isdisjoint(answer.json)
    lkps.clock.pass_by(10)
    assert await outcome(lkps, CRM) == 200


@pytest.mark.parametrize("member", ["report_only", "reason"])
async def test_null_leaves_what_a_grant_cannot_be_without(lkps: Lkps, member: str) -> None:
    grant_id = await granted(lkps, report_only=True)
    before = (await read(lkps, grant_id)).json
    assert (await alter(lkps, grant_id, {member: None})).json == before


@pytest.mark.parametrize(
    "terms", [{"client_app_id": CRM_ID}, {"any_user": True}, {"max_sessions": 0}, {"reason": ""}]
)
async def test_whom_a_grant_is_for_cannot_be_changed(lkps: Lkps, terms: dict[str, Any]) -> None:
    grant_id = await granted(lkps)
    answer = await alter(lkps, grant_id, terms)
    assert refused(answer) == (422, "body_invalid")


async def test_a_grant_is_changed_only_by_who_says_which_version(lkps: Lkps) -> None:
    grant_id = await granted(lkps)
    answer = await alter(lkps, grant_id, {"max_sessions": 7}, etag=None)
    assert refused(answer) == (428, "precondition_required")
    answer = await alter(lkps, grant_id, {"max_sessions": 7}, etag='"0123"')
    assert refused(answer) == (412, "precondition_failed")
    assert "max_sessions" not in (await read(lkps, grant_id)).json


async def test_two_people_who_edit_a_grant_do_not_overwrite_each_other(lkps: Lkps) -> None:
    grant_id = await granted(lkps)
    etag = (await read(lkps, grant_id)).headers["ETag"]
    assert (await alter(lkps, grant_id, {"max_sessions": 7}, etag=etag)).status == 200
    late = await alter(lkps, grant_id, {"max_sessions": 8}, by=OWNER, etag=etag)
    assert refused(late) == (412, "precondition_failed")


@pytest.mark.parametrize("how", ["change", "remove"])
async def test_of_two_who_touch_a_grant_in_one_moment_the_later_one_is_told(
    lkps: Lkps, how: str
) -> None:
    grant_id = await granted(lkps)
    table = SteppingRows(lkps.grants)
    stop = table.steps.stop("replace" if how == "change" else "remove", "before")
    elsewhere = replace(lkps, grants=table, seed=3)
    late = asyncio.create_task(
        alter(elsewhere, grant_id, {"max_sessions": 8})
        if how == "change"
        else remove(elsewhere, grant_id)
    )
    await stop.reached.wait()
    assert (await alter(lkps, grant_id, {"max_sessions": 7})).status == 200
    stop.release()
    assert refused(await late) == (409, "edited_meanwhile")
    assert (await read(lkps, grant_id)).json["max_sessions"] == 7


async def test_of_two_who_grant_in_one_moment_the_later_one_is_told(lkps: Lkps) -> None:
    table = SteppingRows(lkps.grants)
    stop = table.steps.stop("add", "before")
    late = asyncio.create_task(grant(replace(lkps, grants=table, seed=3), max_sessions=8))
    await stop.reached.wait()
    assert (await grant(lkps, max_sessions=7)).status == 201
    stop.release()
    assert refused(await late) == (409, "edited_meanwhile")
    assert len(lkps.grants._rows) == 1


async def test_a_change_that_changes_nothing_is_not_recorded(lkps: Lkps) -> None:
    grant_id = await granted(lkps, max_sessions=7)
    rows, etag = lkps.rows, (await read(lkps, grant_id)).headers["ETag"]
    answer = await alter(lkps, grant_id, {"max_sessions": 7, "report_only": False})
    assert (answer.status, answer.headers["ETag"]) == (200, etag)
    assert lkps.rows == rows


async def test_a_removed_grant_counts_no_more(lkps: Lkps) -> None:
    grant_id = await granted(lkps)
    elsewhere = lkps.another_process()
    assert (await outcome(lkps, CRM), await outcome(elsewhere, CRM)) == (200, 200)
    assert (await remove(lkps, grant_id)).status == 204
    assert await outcome(lkps, CRM) == "agent_not_callable"
    lkps.clock.pass_by(5)
    assert await outcome(elsewhere, CRM) == "agent_not_callable"
    assert refused(await read(lkps, grant_id)) == (404, "grant_not_found")
    assert refused(await remove(lkps, grant_id)) == (404, "grant_not_found")


async def test_a_grant_may_be_removed_only_as_it_was_read(lkps: Lkps) -> None:
    grant_id = await granted(lkps)
    etag = (await read(lkps, grant_id)).headers["ETag"]
    assert refused(await remove(lkps, grant_id, etag='"0123"')) == (412, "precondition_failed")
    assert (await remove(lkps, grant_id, etag=etag)).status == 204


async def test_the_trail_has_a_grants_terms_as_they_were_and_as_they_are(lkps: Lkps) -> None:
    grant_id = await granted(lkps, group_id=SALES, max_sessions=7, expires_at=later(0.25))
    await alter(lkps, grant_id, {"max_sessions": 8, "expires_at": None}, by=OWNER)
    await remove(lkps, grant_id, by=ADA)
    created, changed, removed = lkps.rows[-3:]
    terms = {"client_app_id": CRM_ID, "group_id": SALES, "reason": "a test"}
    expires_at = "2026-03-14T09:26:53.250000Z"
    assert created["after"] == {**terms, "max_sessions": 7, "expires_at": expires_at}
    assert (changed["before"], changed["after"]) == (
        {"max_sessions": 7, "expires_at": expires_at},
        {"max_sessions": 8},
    )
    assert removed["before"] == {**terms, "max_sessions": 8}
    assert ("before" in created, "after" in removed) == (False, False)
    rows = (created, changed, removed)
    assert [row["action"] for row in rows] == ["grant.created", "grant.changed", "grant.removed"]
    assert [row["oid"] for row in rows] == [guid("user olga"), guid("sp owner"), guid("user ada")]
    assert {row["grant_id"] for row in rows} == {grant_id}
    assert {row["agent_name"] for row in rows} == {"concierge"}


@pytest.mark.usefixtures("impatient")
async def test_without_the_trail_nothing_is_granted_changed_or_taken(lkps: Lkps) -> None:
    grant_id = await granted(lkps)
    lkps.trail.down = True
    for answer in (
        await grant(lkps, any_user=True),
        await alter(lkps, grant_id, {"max_sessions": 7}),
        await remove(lkps, grant_id),
    ):
        assert refused(answer) == (503, "audit_unavailable")
    lkps.trail.down = False
    assert [stored.row.max_sessions for stored in lkps.grants._rows.values()] == [None]


async def test_a_grant_whose_insertion_was_not_answered_is_one_grant(lkps: Lkps) -> None:
    table = SteppingRows(lkps.grants)
    table.lose("add")
    process = replace(lkps, grants=table, seed=3)
    assert refused(await grant(process)) == (503, "storage_unavailable")
    again = await grant(process)
    assert (again.status, len(lkps.grants._rows)) == (200, 1)
    told = [row["outcome"] for row in lkps.rows if row["action"] == "grant.created"]
    assert told == ["success", "failed"]
    assert await outcome(process, CRM) == 200


@pytest.mark.parametrize("call", ["replace", "remove"])
async def test_a_change_whose_answer_was_lost_is_made_by_trying_again(
    lkps: Lkps, call: str
) -> None:
    grant_id = await granted(lkps)
    table = SteppingRows(lkps.grants)
    table.lose(call)
    process = replace(lkps, grants=table, seed=3)

    async def touch() -> Answered:
        if call == "remove":
            return await remove(process, grant_id)
        return await alter(process, grant_id, {"max_sessions": 7})

    assert refused(await touch()) == (503, "storage_unavailable")
    assert (await touch()).status == (404 if call == "remove" else 200)
    action = "grant.removed" if call == "remove" else "grant.changed"
    told = [(row["outcome"], row.get("reason")) for row in lkps.rows if row["action"] == action]
    assert told == [("success", None), ("failed", "outcome_unknown")]


async def test_an_application_has_at_most_so_many_grants_on_an_agent(lkps: Lkps) -> None:
    for number in range(MOST_OF_A_CLIENT):
        await granted(lkps, group_id=guid(f"group {number}"))
    answer = await grant(lkps, any_user=True)
    assert refused(answer) == (409, "too_many_grants")
    assert (await grant(lkps, group_id=guid("group 7"))).status == 200
    assert (await grant(lkps, client_app_id=guid("app another"))).status == 201
    assert await outcome(lkps, person("ann", groups=[guid("group 499")])) == 200


type Touch = Callable[[Lkps, str, str, str], Awaitable[Answered]]

ROUTES: dict[str, Touch] = {
    "list": lambda lkps, name, _, by: lkps.send("GET", f"agents/{name}/grants", by=by),
    "create": lambda lkps, name, _, by: grant(lkps, by=by, name=name, any_user=True),
    "show": lambda lkps, name, one, by: lkps.send("GET", path(one, name), by=by),
    "change": lambda lkps, name, one, by: lkps.send(
        "PATCH", path(one, name), {"max_sessions": 7}, by=by, headers={"if-match": "*"}
    ),
    "remove": lambda lkps, name, one, by: lkps.send("DELETE", path(one, name), by=by),
}


async def observed(
    lkps: Lkps, route: str, name: str, grant_id: str, by: str
) -> tuple[Plain, list[list[str]]]:
    before = calls(lkps)
    answer = await ROUTES[route](lkps, name, grant_id, by)
    return plain(answer, name), since(before, lkps)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("by", [OTHER_OWNER, ALICE, person("nina", "Agent.Manage")])
async def test_to_who_manages_it_not_an_agent_is_as_unknown_as_one_that_never_was(
    lkps: Lkps, route: str, by: str
) -> None:
    grant_id = await granted(lkps)
    await ROUTES["list"](lkps, "concierge", "", OLGA)
    foreign = await observed(lkps, route, "concierge", grant_id, by)
    unknown = await observed(lkps, route, "nobody", grant_id, by)
    assert foreign == unknown
    assert foreign[0][0] == 404
    assert (await read(lkps, grant_id)).status == 200


@pytest.mark.parametrize("route", ["show", "change", "remove"])
async def test_a_grant_of_another_agent_is_as_unknown_as_one_that_never_was(
    lkps: Lkps, route: str
) -> None:
    await lkps.assign({"owners": ids("sp other owner")}, "other")
    answer = await grant(lkps, by=OTHER_OWNER, name="other")
    foreign = await observed(lkps, route, "concierge", answer.json["grant_id"], OLGA)
    unknown = await observed(lkps, route, "concierge", UNKNOWN, OLGA)
    assert foreign == unknown
    assert foreign[0][0] == 404


@pytest.mark.parametrize("route", ["show", "change", "remove"])
@pytest.mark.parametrize("text", ["nothing", "a" * 600, "..", UNKNOWN.upper(), f"{UNKNOWN}0"])
async def test_an_id_that_no_grant_can_have_is_unknown(lkps: Lkps, route: str, text: str) -> None:
    answer = await ROUTES[route](lkps, "concierge", text, OLGA)
    assert refused(answer) == (404, "grant_not_found")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("by", [CLIENT, OTHER_CLIENT, ANN, app("auditor", "LKPS.Auditor")])
async def test_only_owners_and_admins_touch_grants(lkps: Lkps, route: str, by: str) -> None:
    answer = await ROUTES[route](lkps, "concierge", UNKNOWN, by)
    assert refused(answer) == (403, "permission_lacking")


async def test_an_owner_who_calls_is_let_in_by_a_grant_and_not_by_owning() -> None:
    lkps = await governed()
    olga = person("olga", "Agent.Manage", "Session.Start")
    assert await outcome(lkps, olga) == "agent_not_callable"
    await granted(lkps, by=olga, user_oid=guid("user olga"))
    assert await outcome(lkps, olga) == 200


async def test_an_owning_application_may_grant_to_itself(lkps: Lkps) -> None:
    await lkps.assign({"owners": ids("user olga", "sp crm")})
    await granted(lkps, by=OTHER_INSTANCE_OF_CRM)
    assert await outcome(lkps, CRM) == 200
