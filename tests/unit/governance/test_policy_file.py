"""Policy as code: a file is planned, applied once and for all, and exported again."""

import asyncio
import json
import time
from collections.abc import Awaitable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkps_core.adapters.memory import MemoryRows
from lkps_core.ports import Stored
from tests.builders.lkps import AGENT, ALICE, CLIENT, Answered, Lkps, app, guid, user
from tests.builders.stepping import SteppingRows
from tests.builders.tokens import NOW, TENANT
from tests.unit.governance.arranging import (
    ADA,
    CONTACT,
    CRM,
    CRM_ID,
    OLGA,
    OTHER_OWNER,
    OWNER,
    SALES,
    actions,
    block,
    change,
    governed,
    granted,
    ids,
    outcome,
    person,
    plain,
    refused,
    shown,
    texts,
)

ANN = person("ann", groups=[SALES])
ANN_ID = guid("user ann")
LIMIT = 4 * 1024 * 1024

type Document = dict[str, Any]


async def plan(lkps: Lkps, document: Document, *, by: str = ADA) -> Answered:
    return await lkps.send("POST", "policy/plan", document, by=by)


async def apply(
    lkps: Lkps, document: Document, *, by: str = ADA, etag: str | None = None
) -> Answered:
    headers = {"if-match": etag} if etag else {}
    return await lkps.send("POST", "policy/apply", document, by=by, headers=headers)


async def export(lkps: Lkps, *, by: str = ADA) -> Document:
    answer = await lkps.send("GET", "policy", by=by)
    assert answer.status == 200, answer.raw
    return answer.json


async def changes(answering: Awaitable[Answered]) -> list[dict[str, Any]]:
    answer = await answering
    assert answer.status == 200, answer.raw
    found: list[dict[str, Any]] = answer.json["changes"]
    return found


async def warnings(lkps: Lkps, document: Document) -> dict[str, str]:
    """What the linter says, by pointer."""
    answer = await plan(lkps, document)
    assert answer.status == 200, answer.raw
    return {one["pointer"]: one["code"] for one in answer.json["warnings"]}


def concierge(**members: object) -> Document:
    return {"agents": {"concierge": members}}


def terms(**members: object) -> dict[str, Any]:
    return {"client_app_id": CRM_ID, "reason": "a test", **members}


def state(lkps: Lkps) -> list[str]:
    """Every row of policy, whatever wrote it, but for who granted and when."""
    rows = [
        stored.row
        for table in (lkps.agents, lkps.grants, lkps.limits)
        for stored in stored_in(table)
    ]
    left_out = ("granted_by", "granted_at", "created_at")
    return sorted(
        repr({one.name: getattr(row, one.name) for one in fields(row) if one.name not in left_out})
        for row in rows
    )


def stored_in(table: MemoryRows[Any]) -> list[Stored[Any]]:
    return [*table._rows.values()]


# A file from nothing


NEW: Document = {
    "version": 1,
    "limits": {"starts_per_minute_per_user": 30, "max_session_seconds": 7200},
    "agents": {
        "butler": {
            "beat_id": "BEAT-7",
            "contact": CONTACT,
            "runners": [guid("sp butler")],
            "owners": [guid("user olga"), guid("sp owner")],
            "access_mode": "granted",
            "report_only": False,
            "max_sessions": 50,
            "max_session_seconds": 3600,
            "grants": [
                terms(),
                terms(group_id=SALES, expires_at="2026-04-01T00:00:00+02:00", max_sessions=20),
            ],
        }
    },
}


async def test_a_file_is_made_live(lkps: Lkps) -> None:
    assert (await apply(lkps, NEW)).status == 200
    live = await shown(lkps, "butler")
    assert live["owners"] == sorted(ids("user olga", "sp owner"), key=lambda one: one["oid"])
    assert live["runners"] == ids("sp butler")
    told = ("beat_id", "contact", "access_mode", "max_sessions", "max_session_seconds")
    assert {name: live[name] for name in told} == {
        name: NEW["agents"]["butler"][name] for name in told
    }
    assert await outcome(lkps, CRM, "butler") == 200
    assert await outcome(lkps, ANN, "butler") == 200
    assert await outcome(lkps, CLIENT, "butler") == "agent_not_callable"
    limits = (await lkps.send("GET", "limits", by=ADA)).json
    assert limits == {"starts_per_minute_per_application": 1200, **NEW["limits"]}
    (_, of_sales) = sorted(
        (await lkps.send("GET", "agents/butler/grants", by=OLGA)).json["grants"],
        key=lambda one: str(one["scope"]),
    )
    assert of_sales["granted_by"] == {"tid": TENANT, "oid": guid("user ada")}
    assert (of_sales["max_sessions"], of_sales["expires_at"]) == (20, "2026-03-31T22:00:00Z")


async def test_a_plan_names_every_change_and_makes_none(lkps: Lkps) -> None:
    before, rows = state(lkps), lkps.rows
    of_limits, of_agent, *of_grants = await changes(plan(lkps, NEW))
    assert (of_limits["kind"], of_limits["action"]) == ("limits", "update")
    assert of_limits["before"] == {"starts_per_minute_per_user": 60, "max_session_seconds": None}
    assert of_limits["after"] == {"starts_per_minute_per_user": 30, "max_session_seconds": 7200}
    assert (of_agent["kind"], of_agent["action"]) == ("agent", "create")
    assert of_agent["agent_name"] == "butler"
    assert "before" not in of_agent
    assert of_agent["after"] == {
        "runners": texts("sp butler"),
        "owners": texts("user olga", "sp owner"),
        "beat_id": "BEAT-7",
        "contact": CONTACT,
        "access_mode": "granted",
        "report_only": False,
        "max_sessions": 50,
        "max_session_seconds": 3600,
    }
    assert [(one["kind"], one["action"]) for one in of_grants] == [("grant", "create")] * 2
    assert of_grants[1]["after"] == {
        **terms(group_id=SALES, max_sessions=20),
        "expires_at": "2026-03-31T22:00:00Z",
    }
    assert (state(lkps), lkps.rows) == (before, rows)


async def test_applying_answers_what_the_plan_did(lkps: Lkps) -> None:
    planned, applied = await plan(lkps, NEW), await apply(lkps, NEW)
    assert applied.json["changes"] == planned.json["changes"]
    assert applied.json["warnings"] == planned.json["warnings"] == []


async def test_applying_twice_is_as_good_as_once(lkps: Lkps) -> None:
    await apply(lkps, NEW)
    before, rows = state(lkps), lkps.rows
    written = [table.calls.count("add") + table.calls.count("replace") for table in lkps.tables]
    assert await changes(apply(lkps, NEW)) == []
    assert await changes(plan(lkps, NEW)) == []
    assert (state(lkps), lkps.rows) == (before, rows)
    again = [table.calls.count("add") + table.calls.count("replace") for table in lkps.tables]
    assert again == written


async def test_the_trail_has_the_file_by_its_hash_and_each_change(lkps: Lkps) -> None:
    recorded = len(lkps.rows)
    answer = await apply(lkps, NEW)
    applied, *changed = lkps.rows[recorded:]
    assert applied["action"] == "policy.applied"
    assert applied["after"]["changes"] == 4
    assert len(applied["after"]["document_sha256"]) == 64
    assert sorted(row["action"] for row in changed) == [
        "agent.assigned",
        "grant.created",
        "grant.created",
        "limits.changed",
    ]
    assert {row["request_id"] for row in changed} == {answer.headers["X-Request-ID"]}
    assert {row["oid"] for row in changed} == {guid("user ada")}


@pytest.mark.parametrize("document", [{}, {"version": 1}, {"agents": {}}, concierge()])
async def test_a_file_that_says_nothing_changes_nothing(lkps: Lkps, document: Document) -> None:
    for by in (ADA, OLGA):
        assert await changes(plan(lkps, document, by=by)) == []
        assert await changes(apply(lkps, document, by=by)) == []
    assert "policy.applied" not in actions(lkps)


# A file over what is live


async def test_what_a_file_leaves_out_stays_as_it_is() -> None:
    lkps = await governed(max_sessions=7, report_only=True)
    grant_id = await granted(lkps, group_id=SALES)
    before = await shown(lkps)
    (only,) = await changes(apply(lkps, concierge(max_session_seconds=60)))
    assert (only["before"], only["after"]) == (
        {"max_session_seconds": None},
        {"max_session_seconds": 60},
    )
    assert await shown(lkps) == {**before, "max_session_seconds": 60}
    assert ("concierge", grant_id) in lkps.grants._rows


@pytest.mark.parametrize("member", ["contact", "beat_id", "max_sessions", "max_session_seconds"])
async def test_null_takes_away_what_can_be_absent(member: str) -> None:
    lkps = await governed(beat_id="BEAT-7", max_sessions=7, max_session_seconds=60)
    (only,) = await changes(apply(lkps, concierge(**{member: None})))
    assert only["after"] == {member: None}
    assert member not in await shown(lkps)


@pytest.mark.parametrize("member", ["access_mode", "report_only", "owners", "runners", "grants"])
async def test_null_is_left_out_where_it_can_not(lkps: Lkps, member: str) -> None:
    await granted(lkps)
    assert await changes(apply(lkps, concierge(**{member: None}))) == []


async def test_the_grants_of_a_file_are_all_there_are(lkps: Lkps) -> None:
    kept = await granted(lkps)
    changed = await granted(lkps, group_id=SALES)
    gone = await granted(lkps, user_oid=ANN_ID)
    lkps.clock.pass_by(60)
    document = concierge(
        grants=[terms(), terms(group_id=SALES, max_sessions=3), terms(any_user=True)]
    )
    found = await changes(apply(lkps, document))
    by_action = {one["action"]: one for one in found}
    assert len(found) == 3
    assert by_action["update"]["grant_id"] == changed
    assert by_action["update"]["after"] == {"max_sessions": 3}
    assert (by_action["delete"]["grant_id"], by_action["delete"]["before"]) == (
        gone,
        terms(user_oid=ANN_ID),
    )
    left = {key: stored.row for (_, key), stored in lkps.grants._rows.items()}
    assert left.keys() == {kept, changed, by_action["create"]["grant_id"]}
    assert left[changed].granted_at == NOW
    assert left[changed].granted_by.oid == guid("user olga")
    assert sorted(action for action in actions(lkps) if action.startswith("grant."))[-2:] == [
        "grant.created",
        "grant.removed",
    ]


async def test_an_empty_list_of_grants_takes_them_all_away(lkps: Lkps) -> None:
    await granted(lkps)
    await granted(lkps, any_user=True)
    found = await changes(apply(lkps, concierge(grants=[])))
    assert [one["action"] for one in found] == ["delete", "delete"]
    assert await outcome(lkps, CRM) == "agent_not_callable"


async def test_a_file_counts_at_once(lkps: Lkps) -> None:
    assert await outcome(lkps, CRM) == "agent_not_callable"
    await apply(lkps, concierge(grants=[terms()]))
    assert await outcome(lkps, CRM) == 200
    await apply(lkps, concierge(access_mode="closed"))
    assert await outcome(lkps, CRM) == "agent_not_callable"


async def test_a_file_is_applied_only_to_what_was_planned(lkps: Lkps) -> None:
    document = concierge(max_sessions=7, grants=[terms()])
    basis = (await plan(lkps, document)).json["basis"]
    await granted(lkps, any_user=True)
    before, rows = state(lkps), lkps.rows
    answer = await apply(lkps, document, etag=basis)
    assert refused(answer) == (412, "precondition_failed")
    assert (state(lkps), [row for row in lkps.rows if row["action"] != "request.refused"]) == (
        before,
        rows,
    )
    basis = (await plan(lkps, document)).json["basis"]
    assert (await apply(lkps, document, etag=basis)).status == 200
    assert (await plan(lkps, document)).json["basis"] != basis


async def test_what_a_file_does_not_name_is_no_part_of_its_basis(lkps: Lkps) -> None:
    await lkps.assign({"owners": ids("user olga")}, "other")
    document = concierge(max_sessions=7)
    basis = (await plan(lkps, document)).json["basis"]
    await change(lkps, {"max_sessions": 8}, name="other")
    assert (await plan(lkps.another_process(), document, by=OLGA)).json["basis"] == basis
    assert (await apply(lkps, document, etag=basis)).status == 200


async def test_an_etag_that_is_none_is_refused(lkps: Lkps) -> None:
    answer = await apply(lkps, concierge(), etag="basis")
    assert refused(answer) == (400, "header_invalid")
    assert (await apply(lkps, concierge(), etag="*")).status == 200


# Whose file


@pytest.mark.parametrize("by", [OLGA, OWNER])
async def test_an_owner_applies_a_file_of_their_own_agents(lkps: Lkps, by: str) -> None:
    document = concierge(
        access_mode="granted", max_sessions=7, contact="olga@example.com", grants=[terms()]
    )
    assert len(await changes(apply(lkps, document, by=by))) == 2
    assert await outcome(lkps, CRM) == 200


@pytest.mark.parametrize("by", [OTHER_OWNER, ALICE, OLGA])
async def test_an_owner_is_told_the_same_of_others_agents_as_of_none(by: str) -> None:
    lkps = await governed()
    body = {"owners": ids("user oscar"), "access_mode": "granted"}
    await lkps.assign(body, "foreign")
    for number in range(3):
        one = {"client_app_id": CRM_ID, "group_id": guid(str(number)), "reason": "a test"}
        await lkps.send("POST", "agents/foreign/grants", one, by=ADA)
    for way in (plan, apply):
        answers = []
        for name in ("foreign", "nobody"):
            answer = await way(lkps, {"agents": {name: {"access_mode": "open"}}}, by=by)
            assert answer.json["errors"] == [
                {
                    "pointer": f"/agents/{name}",
                    "code": "agent_not_found",
                    "detail": "no such agent among your own",
                }
            ]
            answers.append(plain(answer, name))
        assert answers[0] == answers[1]
    assert (await shown(lkps, "foreign"))["access_mode"] == "granted"


async def test_how_many_grants_others_have_costs_a_stranger_no_call(lkps: Lkps) -> None:
    """A thousand fill a page, and there is another."""
    document = concierge(
        grants=[
            terms(client_app_id=guid(f"app {place % 3}"), group_id=guid(f"group {place}"))
            for place in range(1001)
        ]
    )
    await apply(lkps, document)
    spent = []
    for name in ("concierge", "nobody"):
        before = len(lkps.grants.calls)
        answer = await plan(lkps, {"agents": {name: {}}}, by=OTHER_OWNER)
        assert answer.status == 422
        spent.append(lkps.grants.calls[before:])
    assert spent[0] == spent[1]


async def test_an_owner_makes_no_new_agent(lkps: Lkps) -> None:
    answer = await apply(lkps, {"agents": {"butler": {"owners": [guid("user olga")]}}}, by=OLGA)
    assert answer.json["errors"][0]["code"] == "agent_not_found"
    assert await lkps.agents.get("agents", "butler") is None


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"limits": {"max_session_seconds": 60}}, "/limits"),
        (concierge(runners=[guid("sp crm")]), "/agents/concierge/runners"),
        (concierge(runners=[]), "/agents/concierge/runners"),
        (concierge(beat_id="BEAT-7"), "/agents/concierge/beat_id"),
    ],
)
async def test_what_only_admins_change_is_refused_to_an_owner_and_done_for_an_admin(
    lkps: Lkps, document: Document, pointer: str
) -> None:
    for way in (plan, apply):
        answer = await way(lkps, document, by=OLGA)
        assert refused(answer) == (422, "body_invalid")
        errors = answer.json["errors"]
        assert [(one["pointer"], one["code"]) for one in errors] == [(pointer, "for_admins")]
    assert len(await changes(apply(lkps, document, by=ADA))) == 1


async def test_an_owner_may_repeat_what_only_admins_change(lkps: Lkps) -> None:
    document = {
        "limits": {},
        **concierge(runners=[guid("sp agent")], beat_id=None, max_sessions=7),
    }
    assert len(await changes(apply(lkps, document, by=OLGA))) == 1


async def test_an_owner_cannot_lock_themselves_out_by_file(lkps: Lkps) -> None:
    document = concierge(owners=[guid("user oscar")])
    answer = await apply(lkps, document, by=OLGA)
    (error,) = answer.json["errors"]
    assert (error["pointer"], error["code"]) == ("/agents/concierge/owners", "would_lock_you_out")
    assert (await apply(lkps, document, by=ADA)).status == 200


async def test_an_agent_keeps_an_owner_by_file_too(lkps: Lkps) -> None:
    for by in (ADA, OLGA):
        answer = await apply(lkps, concierge(owners=[]), by=by)
        assert answer.json["errors"][0]["code"] == "last_owner"
        assert answer.json["errors"][0]["pointer"] == "/agents/concierge/owners"
    assert (await apply(lkps, {"agents": {"butler": {"owners": []}}})).status == 200
    assert (await apply(lkps, {"agents": {"butler": {"owners": []}}})).status == 200


async def test_what_runs_an_agent_does_not_manage_it_by_file(lkps: Lkps) -> None:
    await lkps.assign({"owners": ids("sp agent", "user olga"), "runners": ids("sp agent")})
    for by in (app("agent", "LKPS.Manage"),):
        answer = await apply(lkps, concierge(access_mode="open"), by=by)
        (error,) = answer.json["errors"]
        assert (error["pointer"], error["code"]) == ("/agents/concierge", "runner_may_not_manage")
    assert (await shown(lkps))["access_mode"] == "granted"
    by = app("agent", "LKPS.Manage", "LKPS.Admin")
    assert (await apply(lkps, concierge(access_mode="open"), by=by)).status == 200


@pytest.mark.parametrize("by", [AGENT, CLIENT, ANN, app("auditor", "LKPS.Auditor")])
async def test_only_owners_and_admins_have_policy_as_code(lkps: Lkps, by: str) -> None:
    answers = [
        await plan(lkps, {}, by=by),
        await apply(lkps, {}, by=by),
        await lkps.send("GET", "policy", by=by),
    ]
    assert {refused(answer) for answer in answers} == {(403, "permission_lacking")}


# What is wrong with a file


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"version": 2}, "/version"),
        ({"agent": {}}, "/agent"),
        ({"limits": {"max_session_seconds": 1}}, "/limits/max_session_seconds"),
        ({"agents": {"No Agent": {}}}, "/agents/No Agent"),
        (concierge(name="concierge"), "/agents/concierge/name"),
        (concierge(access_mode="ajar"), "/agents/concierge/access_mode"),
        (concierge(owners=[{"oid": ANN_ID}]), "/agents/concierge/owners/0"),
        (concierge(owners=["olga"]), "/agents/concierge/owners/0"),
        (concierge(grants=[{"client_app_id": CRM_ID}]), "/agents/concierge/grants/0/reason"),
        (concierge(grants=[terms(), terms(group_id="x")]), "/agents/concierge/grants/1/group_id"),
        (concierge(grants=[terms(any_user=True, group_id=SALES)]), "/agents/concierge/grants/0"),
    ],
)
async def test_what_cannot_be_in_a_file_is_refused_by_its_pointer(
    lkps: Lkps, document: Document, pointer: str
) -> None:
    for way in (plan, apply):
        answer = await way(lkps, document)
        assert refused(answer) == (422, "body_invalid")
        assert answer.json["errors"][0]["pointer"].removesuffix("/[key]") == pointer


async def test_two_grants_for_the_same_callers_are_refused(lkps: Lkps) -> None:
    again = terms(group_id=SALES, reason="another test")
    document = concierge(grants=[terms(), terms(group_id=SALES), again])
    answer = await apply(lkps, document)
    (error,) = answer.json["errors"]
    assert (error["pointer"], error["code"]) == ("/agents/concierge/grants/2", "grant_repeated")
    assert lkps.grants._rows == {}


async def test_more_grants_of_an_application_than_may_be_are_refused(lkps: Lkps) -> None:
    many = [terms(group_id=guid(f"group {number}")) for number in range(501)]
    answer = await apply(lkps, concierge(grants=many))
    (error,) = answer.json["errors"]
    assert (error["pointer"], error["code"]) == ("/agents/concierge/grants", "too_many_grants")
    assert len(await changes(apply(lkps, concierge(grants=many[:500])))) == 500


async def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_done(lkps: Lkps) -> None:
    document: Document = {
        "limits": {"max_session_seconds": 60},
        "agents": {
            "concierge": {"beat_id": "BEAT-7", "runners": [], "max_sessions": 7},
            "butler": {},
            "porter": {},
        },
    }
    before = state(lkps)
    answer = await apply(lkps, document, by=OLGA)
    found = {one["pointer"]: one["code"] for one in answer.json["errors"]}
    assert found == {
        "/limits": "for_admins",
        "/agents/concierge/runners": "for_admins",
        "/agents/concierge/beat_id": "for_admins",
        "/agents/butler": "agent_not_found",
        "/agents/porter": "agent_not_found",
    }
    assert state(lkps) == before


async def test_of_very_many_errors_the_first_twenty_are_told(lkps: Lkps) -> None:
    document: Document = {"agents": {f"agent-{number}": {} for number in range(30)}}
    answer = await plan(lkps, document, by=OLGA)
    assert len(answer.json["errors"]) == 20


async def test_a_file_may_be_four_mebibytes_and_no_more(lkps: Lkps) -> None:
    file = json.dumps(concierge(max_sessions=7)).encode()
    for path in ("policy/plan", "policy/apply"):
        padded = file + b" " * (LIMIT - len(file))
        assert (await lkps.send("POST", path, raw=padded, by=ADA)).status == 200
        answer = await lkps.send("POST", path, raw=padded + b" ", by=ADA)
        assert refused(answer) == (413, "body_too_large")


async def test_five_thousand_grants_fit_in_a_file(lkps: Lkps) -> None:
    grants = [
        terms(client_app_id=guid(f"app {client}"), group_id=guid(f"group {group}"), max_sessions=9)
        for client in range(10)
        for group in range(500)
    ]
    document = concierge(grants=grants)
    assert len(json.dumps(document)) < LIMIT
    assert len(await changes(apply(lkps, document))) == 5000
    assert await changes(apply(lkps, document)) == []
    assert len((await export(lkps))["agents"]["concierge"]["grants"]) == 5000
    by = person("ann", through="7", groups=[guid("group 499")])
    assert await outcome(lkps, by) == 200


# What a file costs


async def test_a_caller_has_thirty_files_a_minute_planned_or_applied(lkps: Lkps) -> None:
    for number in range(30):
        way = plan if number % 2 else apply
        assert (await way(lkps, concierge(), by=OLGA)).status == 200
    spent = [len(table.calls) for table in lkps.tables]
    for way in (plan, apply):
        answer = await way(lkps, concierge(), by=OLGA)
        assert refused(answer) == (429, "rate_limited")
        assert answer.headers["Retry-After"] == "60"
    assert [len(table.calls) for table in lkps.tables] == spent
    assert (await plan(lkps, concierge(), by=OWNER)).status == 200
    lkps.clock.pass_by(60)
    assert (await plan(lkps, concierge(), by=OLGA)).status == 200


async def test_what_limits_starts_does_not_limit_files(lkps: Lkps) -> None:
    await apply(lkps, {"limits": {"starts_per_minute_per_user": 1}})
    assert await changes(plan(lkps, concierge())) == []
    assert await changes(plan(lkps, concierge())) == []


async def test_one_file_at_a_time_is_compared_with_what_is_live(lkps: Lkps) -> None:
    table = SteppingRows(lkps.agents)
    process = replace(lkps, agents=table, seed=1)
    await plan(process, concierge())
    stop = table.steps.stop("get", "before")
    first = asyncio.create_task(plan(process, concierge()))
    await stop.reached.wait()
    read = len(table.calls)
    second = asyncio.create_task(apply(process, concierge(max_sessions=7)))
    await asyncio.sleep(0.05)
    assert not second.done()
    assert len(table.calls) == read
    stop.release()
    assert await changes(first) == []
    assert len(await changes(second)) == 1


async def test_a_file_that_is_being_applied_holds_up_no_other(lkps: Lkps) -> None:
    table = SteppingRows(lkps.agents)
    process = replace(lkps, agents=table, seed=1)
    stop = table.steps.stop("replace", "before")
    applying = asyncio.create_task(apply(process, concierge(max_sessions=7)))
    await stop.reached.wait()
    assert len(await changes(plan(process, concierge(max_sessions=7)))) == 1
    stop.release()
    assert len(await changes(applying)) == 1


@pytest.mark.parametrize(("number", "reading"), [(20, ["get"] * 20), (21, ["page"])])
async def test_many_agents_are_read_by_pages(lkps: Lkps, number: int, reading: list[str]) -> None:
    names = [f"agent-{place}" for place in range(number)]
    document: Document = {"agents": {name: {"owners": [guid("user olga")]} for name in names}}
    for found in (number, 0):
        lkps.agents.calls.clear()
        assert len(await changes(plan(lkps, document))) == found
        assert lkps.agents.calls == reading
        await apply(lkps, document)


@pytest.mark.parametrize(("last", "status"), [(terms(), 200), ({}, 422)])
async def test_a_large_file_has_no_other_request_wait_for_it(
    lkps: Lkps, last: Document, status: int
) -> None:
    """Neither for its plan nor, where it is refused for its form, for its reading."""
    grants = [
        terms(client_app_id=guid(f"app {client}"), group_id=guid(f"group {group}"))
        for client in range(10)
        for group in range(500)
    ]
    raw = json.dumps(concierge(grants=[*grants, last])).encode()
    began = before = time.monotonic()
    longest = 0.0
    planning = asyncio.create_task(lkps.send("POST", "policy/plan", raw=raw, by=ADA))
    while not planning.done():
        await asyncio.sleep(0)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    assert (await planning).status == status
    assert longest < (before - began) / 2


# What is odd about a file


@pytest.mark.parametrize(
    ("members", "pointer", "code"),
    [
        ({"grants": []}, "", "granted_without_grants"),
        ({"access_mode": "open", "grants": [terms()]}, "/grants/0", "open"),
        ({"access_mode": "closed", "grants": [terms()]}, "/grants/0", "agent_closed"),
        (
            {"grants": [terms(), terms(any_user=True, expires_at=NOW.isoformat())]},
            "/grants/1",
            "grant_expired",
        ),
        (
            {"report_only": True, "grants": [terms(expires_at=NOW.isoformat())]},
            "/grants/0",
            "grant_expired",
        ),
        (
            {"max_session_seconds": 60, "grants": [terms(max_session_seconds=61)]},
            "/grants/0/max_session_seconds",
            "limit_without_effect",
        ),
    ],
)
async def test_what_is_odd_is_told_and_can_be_applied(
    lkps: Lkps, members: Document, pointer: str, code: str
) -> None:
    document = concierge(**members)
    assert await warnings(lkps, document) == {f"/agents/concierge{pointer}": code}
    applied = await apply(lkps, document)
    assert [one["code"] for one in applied.json["warnings"]] == [code]
    assert all(one["detail"] for one in applied.json["warnings"])


@pytest.mark.parametrize(
    ("blocked", "code"),
    [
        ({"agent_name": "concierge"}, "agent_blocked"),
        ({"client_app_id": CRM_ID}, "application_blocked"),
        ({"user_oid": ANN_ID}, "user_blocked"),
    ],
)
async def test_a_grant_to_what_is_blocked_is_odd(
    lkps: Lkps, blocked: dict[str, Any], code: str
) -> None:
    await block(lkps, **blocked)
    document = concierge(grants=[terms(user_oid=ANN_ID)])
    assert await warnings(lkps, document) == {"/agents/concierge/grants/0": code}


async def test_a_longest_session_beyond_the_platforms_is_odd(lkps: Lkps) -> None:
    document = concierge(grants=[terms(group_id=SALES, max_session_seconds=600)])
    assert await warnings(lkps, document) == {}
    pointer = "/agents/concierge/grants/0/max_session_seconds"
    odd = {"limits": {"max_session_seconds": 300}, **document}
    assert await warnings(lkps, odd) == {pointer: "limit_without_effect"}
    await apply(lkps, {"limits": {"max_session_seconds": 300}})
    assert await warnings(lkps, document) == {pointer: "limit_without_effect"}


async def test_a_new_agent_that_nobody_runs_or_owns_is_odd(lkps: Lkps) -> None:
    answer = await plan(lkps, {"agents": {"butler": {"grants": [terms()]}}})
    codes = {one["code"] for one in answer.json["warnings"]}
    assert codes == {"agent_unknown", "agent_without_owners", "open"}
    named = {"runners": [guid("sp butler")], "owners": [guid("user olga")]}
    assert await warnings(lkps, {"agents": {"butler": named}}) == {}


async def test_a_granted_agent_whose_grants_the_file_leaves_alone_is_not_odd(lkps: Lkps) -> None:
    assert await warnings(lkps, concierge()) == {"/agents/concierge": "granted_without_grants"}
    await granted(lkps)
    assert await warnings(lkps, concierge()) == {}


async def test_a_sound_file_has_nothing_odd(lkps: Lkps) -> None:
    grants = [terms(), terms(any_user=True), terms(group_id=SALES), terms(user_oid=ANN_ID)]
    assert await warnings(lkps, concierge(grants=grants)) == {}


# Nobody is shut out in between, and what failed half way goes on


TRANSITIONS: dict[str, tuple[Document, Document]] = {
    "other terms": ({"grants": [terms()]}, {"grants": [terms(max_sessions=9)]}),
    "to another scope": (
        {"grants": [terms(any_user=True)]},
        {"grants": [terms(group_id=SALES), terms(user_oid=ANN_ID)]},
    ),
    "granted from open": (
        {"access_mode": "open", "grants": []},
        {"access_mode": "granted", "grants": [terms(), terms(group_id=SALES)]},
    ),
    "open from granted": (
        {"access_mode": "granted", "grants": [terms(), terms(group_id=SALES)]},
        {"access_mode": "open", "grants": []},
    ),
    "enforced from report-only": (
        {"report_only": True, "grants": []},
        {"report_only": False, "grants": [terms(), terms(user_oid=ANN_ID)]},
    ),
}


@pytest.mark.parametrize("name", TRANSITIONS)
async def test_whoever_is_let_in_before_and_after_is_let_in_at_every_moment_between(
    lkps: Lkps, name: str
) -> None:
    before, after = TRANSITIONS[name]
    await apply(lkps, concierge(**before))
    agents, grants = SteppingRows(lkps.agents), SteppingRows(lkps.grants)
    process = replace(lkps, agents=agents, grants=grants, seed=1)
    seeds = iter(range(2, 1000))

    async def let_in() -> set[str]:
        """Who is let in by a process that remembers nothing."""
        bystander = replace(lkps, seed=next(seeds))
        return {by for by in (CRM, ANN) if await outcome(bystander, by) == 200}

    moments = [await let_in()]

    async def look() -> None:
        moments.append(await let_in())

    agents.steps.always = grants.steps.always = look
    found = await changes(apply(process, concierge(**after)))
    agents.steps.always = grants.steps.always = None
    constantly = moments[0] & await let_in()
    assert constantly
    assert len(moments) > len(found) > 0
    assert all(moment >= constantly for moment in moments)


LARGE: Document = {
    "limits": {"max_session_seconds": 3600},
    "agents": {
        "butler": {"owners": [guid("user olga")], "grants": [terms(), terms(any_user=True)]},
        "concierge": {
            "max_sessions": 7,
            "grants": [terms(max_sessions=3), terms(group_id=SALES), terms(user_oid=ANN_ID)],
        },
    },
}
WRITES = [
    ("limits", "add"),
    ("agents", "add"),
    ("agents", "replace"),
    ("grants", "add"),
    ("grants", "replace"),
    ("grants", "remove"),
]


@pytest.mark.parametrize("how", ["refuse", "lose"])
@pytest.mark.parametrize(("table", "call"), WRITES)
async def test_what_failed_half_way_is_finished_by_applying_again(
    lkps: Lkps, table: str, call: str, how: str
) -> None:
    for one in (terms(), terms(any_user=True)):
        await lkps.send("POST", "agents/concierge/grants", one, by=OLGA)
    stepping = SteppingRows[Any](getattr(lkps, table))
    getattr(stepping, how)(call)
    tables: dict[str, Any] = {table: stepping}
    process = replace(lkps, seed=1, **tables)
    assert refused(await apply(process, LARGE)) == (503, "storage_unavailable")
    await changes(apply(process, LARGE))
    assert await changes(apply(process, LARGE)) == []

    straight = await governed()
    for one in (terms(), terms(any_user=True)):
        await straight.send("POST", "agents/concierge/grants", one, by=OLGA)
    await apply(straight, LARGE)
    assert state(lkps) == state(straight)


async def test_other_steps_in_progress_end_before_a_failure_is_told(lkps: Lkps) -> None:
    table = SteppingRows(lkps.grants)
    table.refuse("add")
    process = replace(lkps, grants=table, seed=1)
    grants = [terms(group_id=guid(str(number))) for number in range(10)]
    assert (await apply(process, concierge(grants=grants))).status == 503
    assert len(lkps.grants._rows) == 9
    (missing,) = await changes(plan(process, concierge(grants=grants)))
    assert missing["action"] == "create"


@pytest.mark.usefixtures("impatient")
async def test_without_the_trail_no_file_is_applied(lkps: Lkps) -> None:
    before = state(lkps)
    lkps.trail.down = True
    assert refused(await apply(lkps, LARGE)) == (503, "audit_unavailable")
    lkps.trail.down = False
    assert state(lkps) == before


async def test_who_applies_to_what_changes_in_that_moment_is_told(lkps: Lkps) -> None:
    table = SteppingRows(lkps.agents)

    async def somebody_else() -> None:
        await change(lkps, {"max_sessions": 8})

    table.steps.once("replace", "before", somebody_else)
    process = replace(lkps, agents=table, seed=1)
    answer = await apply(process, concierge(max_sessions=7))
    assert refused(answer) == (409, "edited_meanwhile")
    assert (await shown(lkps))["max_sessions"] == 8


async def test_agents_that_a_file_leaves_as_they_are_cost_no_more_than_being_read(
    lkps: Lkps,
) -> None:
    names = [f"agent-{number}" for number in range(20)]
    everything: Document = {"agents": {name: {"access_mode": "closed"} for name in names}}
    await apply(lkps, everything)
    cold = lkps.another_process()
    lkps.registrations.calls.clear()
    found = await changes(
        apply(cold, {"agents": {**everything["agents"], "agent-3": {"access_mode": "open"}}})
    )
    assert len(found) == 1
    assert lkps.registrations.calls == []


# The export


async def test_an_export_is_a_file_in_its_own_form(lkps: Lkps) -> None:
    await apply(lkps, NEW)
    butler = dict(NEW["agents"]["butler"])
    exported = (await export(lkps))["agents"]["butler"]
    grants = exported.pop("grants")
    assert sorted(grants, key=str) == sorted(
        [terms(), {**butler.pop("grants")[1], "expires_at": "2026-03-31T22:00:00Z"}], key=str
    )
    assert exported == {**butler, "owners": sorted(butler["owners"])}


async def test_an_admin_exports_all_agents_and_the_limits(lkps: Lkps) -> None:
    await apply(lkps, NEW)
    exported = await export(lkps)
    assert exported["version"] == 1
    assert exported["agents"].keys() == {"butler", "concierge"}
    assert exported["limits"] == {"starts_per_minute_per_application": 1200, **NEW["limits"]}


async def test_an_owner_exports_their_own_agents_without_the_limits(lkps: Lkps) -> None:
    await lkps.assign({"owners": ids("user oscar")}, "other")
    exported = await export(lkps, by=OLGA)
    assert exported.keys() == {"version", "agents"}
    assert exported["agents"].keys() == {"concierge"}
    assert (await export(lkps, by=user("nina", "Agent.Manage")))["agents"] == {}


oids = st.lists(st.sampled_from([guid(f"user {number}") for number in range(4)]), max_size=3)
owned = oids.map(lambda others: [guid("user olga"), *others])
few = st.none() | st.integers(1, 100_000)
seconds = st.none() | st.integers(10, 86_400)
texts_of_people = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=3, max_size=20
)
instants = st.integers(-(10**15), 10**15).map(
    lambda microseconds: (NOW + timedelta(microseconds=microseconds)).isoformat()
)


def optional(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


scopes = st.sampled_from(
    [
        {},
        {"any_user": True},
        {"group_id": SALES},
        {"group_id": guid("group other")},
        {"user_oid": ANN_ID},
    ]
)
documented_grants = st.builds(
    lambda client, scope, reason, rest: {
        "client_app_id": client,
        "reason": reason,
        **scope,
        **rest,
    },
    st.sampled_from([CRM_ID, guid("app another")]),
    scopes,
    texts_of_people,
    optional(
        expires_at=st.none() | instants,
        max_sessions=few,
        max_session_seconds=seconds,
        report_only=st.booleans(),
    ),
)


def callers_of(grant: Document) -> tuple[object, ...]:
    return tuple(grant.get(name) for name in ("client_app_id", "any_user", "group_id", "user_oid"))


documented_agents = optional(
    beat_id=st.none() | texts_of_people,
    contact=st.none() | texts_of_people,
    runners=oids,
    owners=owned,
    access_mode=st.sampled_from(["open", "granted", "closed"]),
    report_only=st.booleans(),
    max_sessions=few,
    max_session_seconds=seconds,
    grants=st.lists(documented_grants, max_size=4, unique_by=callers_of),
)
documents = optional(
    limits=optional(
        starts_per_minute_per_application=st.integers(1, 100_000),
        max_sessions_per_agent=few,
        max_session_seconds=seconds,
    ),
    agents=st.dictionaries(st.sampled_from(["a", "b", "c-d"]), documented_agents, max_size=3),
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(files=st.lists(documents, min_size=1, max_size=3))
async def test_whatever_is_live_its_export_plans_no_change_and_a_file_applied_is_live(
    files: list[Document],
) -> None:
    lkps = Lkps()
    for file in files:
        planned = await changes(plan(lkps, file))
        assert await changes(apply(lkps, file)) == planned
        live, rows = state(lkps), lkps.rows
        assert await changes(apply(lkps, file)) == []
        exported = await export(lkps)
        assert await changes(plan(lkps, exported)) == []
        assert await changes(plan(lkps, await export(lkps, by=OLGA), by=OLGA)) == []
        assert (state(lkps), lkps.rows) == (live, rows)
        elsewhere = Lkps(seed=7)
        await apply(elsewhere, exported)
        assert await export(elsewhere) == exported
