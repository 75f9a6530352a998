"""How an agent's owners and admins change it, and what keeps them from harming themselves."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.builders.lkps import ADMIN, AGENT, Lkps, app, guid, user
from tests.builders.stepping import SteppingRows
from tests.builders.tokens import TENANT
from tests.unit.governance.arranging import (
    ADA,
    CONTACT,
    CRM,
    OLGA,
    OTHER_OWNER,
    OWNER,
    PATH,
    change,
    governed,
    grant,
    ids,
    outcome,
    refused,
    shown,
    texts,
)

OSCAR = user("oscar", "Agent.Manage")
RUNNER_WHO_MANAGES = app("agent", "LKPS.Manage")
RUNNER_WHO_ADMINISTERS = app("agent", "LKPS.Manage", "LKPS.Admin")
BOTH = {"runners": ids("sp agent"), "owners": ids("user olga", "sp agent")}

MEMBERS: dict[str, Any] = {
    "access_mode": "closed",
    "report_only": True,
    "max_sessions": 7,
    "max_session_seconds": 600,
    "contact": "somebody@example.com",
    "owners": ids("user olga", "user oscar"),
}
OF_ADMINS: dict[str, Any] = {"runners": ids("sp other agent"), "beat_id": "BEAT-7"}


def sorted_ids(value: object) -> object:
    return sorted(value, key=lambda one: str(one["oid"])) if isinstance(value, list) else value


@pytest.mark.parametrize("by", [OLGA, OWNER, ADA, ADMIN])
@pytest.mark.parametrize("member", MEMBERS)
async def test_an_owner_or_admin_changes_one_member_and_the_others_stay(
    lkps: Lkps, member: str, by: str
) -> None:
    before = await shown(lkps)
    leaving = {"leaving": True} if (member, by) == ("owners", OWNER) else {}
    answer = await change(lkps, {member: MEMBERS[member], **leaving}, by=by)
    assert answer.status == 200
    assert answer.json == {**before, member: sorted_ids(MEMBERS[member])}
    assert await shown(lkps.another_process()) == answer.json


@pytest.mark.parametrize("member", OF_ADMINS)
async def test_who_runs_an_agent_and_as_which_system_only_admins_change(
    lkps: Lkps, member: str
) -> None:
    before = await shown(lkps)
    answer = await change(lkps, {member: OF_ADMINS[member]}, by=OLGA)
    assert refused(answer) == (403, "permission_lacking")
    assert "Platform.Admin" in answer.json["detail"]
    assert await shown(lkps) == before
    assert (await change(lkps, {member: OF_ADMINS[member]}, by=ADA)).json == {
        **before,
        member: OF_ADMINS[member],
    }


@pytest.mark.parametrize("member", ["max_sessions", "max_session_seconds", "contact", "beat_id"])
async def test_null_takes_away_what_can_be_absent(member: str) -> None:
    lkps = await governed(**MEMBERS, beat_id="BEAT-7")
    answer = await change(lkps, {member: None}, by=ADA)
    assert answer.status == 200
    assert member not in answer.json


@pytest.mark.parametrize("member", ["access_mode", "report_only", "owners", "runners"])
async def test_null_leaves_what_an_agent_cannot_be_without(lkps: Lkps, member: str) -> None:
    before = await shown(lkps)
    answer = await change(lkps, {member: None}, by=ADA)
    assert (answer.status, answer.json) == (200, before)


@pytest.mark.parametrize(
    "members",
    [
        {"access_mode": "ajar"},
        {"report_only": "yes"},
        {"max_sessions": 0},
        {"max_sessions": 1.5},
        {"max_session_seconds": 9},
        {"max_session_seconds": 86_401},
        {"contact": ""},
        {"contact": "line\nbreak"},
        {"owners": [{"oid": guid("user olga")}]},
        {"owners": ids("user olga") * 51},
        {"name": "other"},
        {"routing_version": 7},
    ],
)
async def test_a_member_that_cannot_be_is_refused_by_its_pointer(
    lkps: Lkps, members: dict[str, Any]
) -> None:
    answer = await change(lkps, members)
    assert refused(answer) == (422, "body_invalid")
    (name,) = members
    assert answer.json["errors"][0]["pointer"].startswith(f"/{name}")


@pytest.mark.parametrize("member", ["owners", "runners"])
async def test_principals_of_another_tenant_are_refused_by_their_place(
    lkps: Lkps, member: str
) -> None:
    foreign = [*ids("user olga"), {"tid": guid("another tenant"), "oid": guid("user olga")}]
    for answer in (
        await change(lkps, {member: foreign}, by=ADA),
        await lkps.assign({member: foreign}),
    ):
        assert answer.json["errors"] == [
            {
                "pointer": f"/{member}/1/tid",
                "code": "tenant_foreign",
                "detail": "must be the tenant that LKPS serves",
            }
        ]


async def test_a_name_that_no_agent_can_have_is_not_assigned(lkps: Lkps) -> None:
    for name in ("Concierge", "a--b", "-a", "a" * 64):
        answer = await lkps.assign({"owners": ids("user olga")}, name)
        assert answer.json["errors"][0]["code"] == "agent_name"
        assert refused(await change(lkps, {}, name=name)) == (404, "agent_not_found")


async def test_an_agent_is_changed_only_by_who_says_which_version(lkps: Lkps) -> None:
    answer = await change(lkps, {"max_sessions": 7}, etag=None)
    assert refused(answer) == (428, "precondition_required")
    assert "max_sessions" not in await shown(lkps)


@pytest.mark.parametrize("etag", ['"0123"', '"0123", "4567"'])
async def test_a_version_that_is_no_longer_is_refused(lkps: Lkps, etag: str) -> None:
    answer = await change(lkps, {"max_sessions": 7}, etag=etag)
    assert refused(answer) == (412, "precondition_failed")
    assert "max_sessions" not in await shown(lkps)


@pytest.mark.parametrize("etag", ["", "0123", 'W/"0123"', '"0123', "*, *", '"' + "a" * 101 + '"'])
async def test_what_no_etag_looks_like_is_refused(lkps: Lkps, etag: str) -> None:
    headers = {"if-match": etag}
    answer = await lkps.send("PATCH", PATH, {"max_sessions": 7}, by=OLGA, headers=headers)
    assert refused(answer) == (400, "header_invalid")


@pytest.mark.parametrize("etag", ["*", " * ", '"0123", {etag}', '{etag},"0123"', " {etag} "])
async def test_the_version_that_was_read_or_any_is_changed(lkps: Lkps, etag: str) -> None:
    read = await lkps.send("GET", PATH, by=OLGA)
    answer = await change(lkps, {"max_sessions": 7}, etag=etag.format(etag=read.headers["ETag"]))
    assert (answer.status, answer.json["max_sessions"]) == (200, 7)


async def test_two_people_who_edit_do_not_overwrite_each_other(lkps: Lkps) -> None:
    read = (await lkps.send("GET", PATH, by=OLGA)).headers["ETag"]
    first = await change(lkps, {"max_sessions": 7}, etag=read)
    late = await change(lkps, {"max_sessions": 8}, by=OWNER, etag=read)
    assert (first.status, refused(late)) == (200, (412, "precondition_failed"))
    again = await change(lkps, {"max_sessions": 8}, by=OWNER, etag=first.headers["ETag"])
    assert (again.status, again.json["max_sessions"]) == (200, 8)


async def test_what_another_instance_changed_is_read_with_its_new_etag(lkps: Lkps) -> None:
    elsewhere = lkps.another_process()
    await lkps.send("GET", PATH, by=OLGA)
    etag = (await change(elsewhere, {"max_sessions": 7})).headers["ETag"]
    read = await lkps.send("GET", PATH, by=OLGA)
    assert (read.json["max_sessions"], read.headers["ETag"]) == (7, etag)
    assert (await change(lkps, {"max_sessions": 8}, etag=read.headers["ETag"])).status == 200


async def test_of_two_changes_in_one_moment_the_later_one_is_told(lkps: Lkps) -> None:
    table = SteppingRows(lkps.agents)
    stop = table.steps.stop("replace", "before")
    late = asyncio.create_task(
        change(replace(lkps, agents=table, seed=3), {"max_sessions": 8}, by=OWNER)
    )
    await stop.reached.wait()
    assert (await change(lkps, {"max_sessions": 7})).status == 200
    stop.release()
    answer = await late
    assert refused(answer) == (409, "edited_meanwhile")
    assert (await shown(lkps))["max_sessions"] == 7


async def test_an_assignment_of_a_new_name_can_say_that_it_must_be_new(lkps: Lkps) -> None:
    new, body = {"if-none-match": "*"}, {"owners": ids("user olga")}
    answer = await lkps.send("PUT", "agents/other", body, by=ADA, headers=new)
    assert answer.status == 201
    answer = await lkps.send("PUT", "agents/other", {}, by=ADA, headers=new)
    assert refused(answer) == (412, "precondition_failed")
    answer = await lkps.send("PUT", "agents/third", {}, by=ADA, headers={"if-match": "*"})
    assert refused(answer) == (412, "precondition_failed")
    answer = await lkps.send("PUT", "agents/third", {}, by=ADA, headers={"if-none-match": '"x"'})
    assert refused(answer) == (400, "header_invalid")


async def test_an_assignment_of_what_is_there_says_which_version(lkps: Lkps) -> None:
    body = {"owners": ids("user olga")}
    answer = await lkps.send("PUT", PATH, body, by=ADA)
    assert refused(answer) == (428, "precondition_required")
    etag = (await lkps.send("GET", PATH, by=ADA)).headers["ETag"]
    assert (await lkps.send("PUT", PATH, body, by=ADA, headers={"if-match": etag})).status == 200


async def test_an_assignment_keeps_how_the_agent_may_be_called() -> None:
    lkps = await governed(access_mode="closed", report_only=True, max_sessions=7)
    answer = await lkps.assign({"owners": ids("user oscar")})
    assert answer.json["owners"] == ids("user oscar")
    kept = (answer.json["access_mode"], answer.json["report_only"], answer.json["max_sessions"])
    assert kept == ("closed", True, 7)
    answer = await lkps.assign({"owners": ids("user oscar"), "access_mode": "open"})
    assert answer.json["access_mode"] == "open"


@pytest.mark.parametrize(
    ("environment", "mode"), [("prod", "granted"), ("nonprod", "open"), ("local", "open")]
)
async def test_a_new_agent_is_granted_in_production_and_else_open(
    environment: str, mode: str
) -> None:
    lkps = Lkps({"LKPS_ENVIRONMENT": environment})
    answer = await lkps.assign({"owners": ids("user olga")})
    assert (answer.status, answer.json["access_mode"]) == (201, mode)
    other = await lkps.assign({"access_mode": "closed"}, "other")
    assert (other.status, other.json["access_mode"]) == (201, "closed")
    plan = await lkps.send("POST", "policy/apply", {"agents": {"third": {}}}, by=ADA)
    assert plan.json["changes"][0]["after"]["access_mode"] == mode


async def test_a_name_claimed_by_the_first_registration_is_open() -> None:
    lkps = Lkps()
    await lkps.register()
    assert (await shown(lkps))["access_mode"] == "open"


@pytest.mark.parametrize("by", [OLGA, OWNER, ADA, ADMIN])
async def test_an_agent_keeps_at_least_one_owner(lkps: Lkps, by: str) -> None:
    answer = await change(lkps, {"owners": [], "leaving": True}, by=by)
    assert refused(answer) == (409, "last_owner")
    assert len((await shown(lkps))["owners"]) == 2


@pytest.mark.parametrize("body", [{}, {"owners": []}])
async def test_an_assignment_cannot_take_the_last_owner_away_either(
    lkps: Lkps, body: dict[str, Any]
) -> None:
    assert refused(await lkps.assign(body)) == (409, "last_owner")
    assert len((await shown(lkps))["owners"]) == 2


async def test_an_agent_that_never_had_an_owner_needs_none(lkps: Lkps) -> None:
    assert (await lkps.assign({}, "other")).status == 201
    assert (await lkps.assign({"beat_id": "BEAT-7"}, "other")).status == 200


async def test_nobody_takes_themselves_out_of_the_owners_unknowingly(lkps: Lkps) -> None:
    answer = await change(lkps, {"owners": ids("user oscar")})
    assert refused(answer) == (409, "would_lock_you_out")
    assert "leaving" in answer.json["detail"]
    assert (await lkps.send("GET", PATH, by=OLGA)).status == 200


async def test_who_says_that_they_leave_hand_their_agent_over(lkps: Lkps) -> None:
    answer = await change(lkps, {"owners": ids("user oscar"), "leaving": True})
    assert answer.json["owners"] == ids("user oscar")
    assert refused(await lkps.send("GET", PATH, by=OLGA)) == (404, "agent_not_found")
    assert refused(await change(lkps, {"max_sessions": 7})) == (404, "agent_not_found")
    assert (await change(lkps, {"max_sessions": 7}, by=OSCAR)).status == 200


async def test_an_admin_who_is_no_owner_changes_the_owners_without_leaving(lkps: Lkps) -> None:
    assert (await change(lkps, {"owners": ids("user oscar")}, by=ADA)).status == 200


async def test_leaving_alone_changes_nothing(lkps: Lkps) -> None:
    before, rows = await shown(lkps), lkps.rows
    answer = await change(lkps, {"leaving": True})
    assert (answer.status, answer.json) == (200, before)
    assert lkps.rows == rows


@pytest.mark.parametrize(("name", "by"), [("user oscar", OSCAR), ("sp other owner", OTHER_OWNER)])
async def test_ownership_is_shared_with_a_colleague_and_with_a_service_principal(
    lkps: Lkps, name: str, by: str
) -> None:
    assert refused(await change(lkps, {"max_sessions": 7}, by=by)) == (404, "agent_not_found")
    owners = ids("user olga", "sp owner", name)
    assert (await change(lkps, {"owners": owners})).status == 200
    assert (await change(lkps, {"max_sessions": 7}, by=by)).status == 200
    assert (await grant(lkps, by=by)).status == 201


async def test_an_owner_without_the_permission_manages_nothing(lkps: Lkps) -> None:
    for by in (user("olga", "Session.Start"), app("owner", "LKPS.Client", "LKPS.Agent")):
        assert refused(await change(lkps, {}, by=by)) == (403, "permission_lacking")
    for by in (user("olga", roles=("LKPS.Manage",)), user("ada", "Platform.Admin")):
        assert refused(await change(lkps, {}, by=by)) == (403, "permission_lacking")


async def test_an_application_that_owns_and_runs_an_agent_may_not_manage_it(lkps: Lkps) -> None:
    await lkps.assign(BOTH)
    refusal = (403, "runner_may_not_manage")
    by = RUNNER_WHO_MANAGES
    assert refused(await change(lkps, {"access_mode": "open"}, by=by)) == refusal
    assert refused(await grant(lkps, by=by)) == refusal
    assert refused(await lkps.send("GET", f"{PATH}/grants", by=by)) == refusal
    rotate = await lkps.send("POST", f"{PATH}/rotate", {"reason": "a test"}, by=by)
    assert refused(rotate) == refusal
    assert (await shown(lkps))["access_mode"] == "granted"


async def test_it_may_read_the_agent_all_the_same(lkps: Lkps) -> None:
    await lkps.assign(BOTH)
    answer = await lkps.send("GET", PATH, by=RUNNER_WHO_MANAGES)
    assert (answer.status, answer.json["name"]) == (200, "concierge")
    listed = await lkps.send("GET", "agents", by=RUNNER_WHO_MANAGES)
    assert [one["name"] for one in listed.json["agents"]] == ["concierge"]


async def test_an_admin_application_that_runs_an_agent_manages_as_an_admin(lkps: Lkps) -> None:
    await lkps.assign(BOTH)
    answer = await change(lkps, {"access_mode": "open"}, by=RUNNER_WHO_ADMINISTERS)
    assert answer.status == 200


async def test_a_person_who_owns_and_runs_an_agent_manages_it(lkps: Lkps) -> None:
    await lkps.assign({"runners": ids("user olga"), "owners": ids("user olga")})
    assert (await change(lkps, {"access_mode": "open"})).status == 200


async def test_what_runs_an_agent_changes_nothing_of_it(lkps: Lkps) -> None:
    assert refused(await change(lkps, {}, by=AGENT)) == (403, "permission_lacking")
    answer = await change(lkps, {"access_mode": "open"}, by=RUNNER_WHO_MANAGES)
    assert refused(answer) == (404, "agent_not_found")


async def test_a_mode_counts_at_once_where_it_was_set_and_elsewhere_within_five_seconds(
    lkps: Lkps,
) -> None:
    elsewhere = lkps.another_process()
    await change(lkps, {"access_mode": "open"})
    assert (await outcome(lkps, CRM), await outcome(elsewhere, CRM)) == (200, 200)
    await change(lkps, {"access_mode": "closed"})
    assert await outcome(lkps, CRM) == "agent_not_callable"
    lkps.clock.pass_by(5)
    assert await outcome(elsewhere, CRM) == "agent_not_callable"


async def test_an_agents_limits_hold() -> None:
    lkps = await governed(access_mode="open", max_sessions=2, max_session_seconds=600)
    first = (await lkps.start(by=CRM)).json
    stored = await lkps.sessions.get("concierge", first["session_id"])
    assert stored is not None
    assert (stored.row.ends_at - stored.row.created_at).total_seconds() == 600
    assert await outcome(lkps, CRM) == 200
    assert await outcome(lkps, CRM) == "too_many_sessions"


async def test_in_report_only_an_agents_limits_and_mode_only_record() -> None:
    lkps = await governed(report_only=True, max_sessions=1)
    for _ in range(2):
        assert await outcome(lkps, CRM) == 200
        row = lkps.rows[-1]
        assert (row["rule"], row["would_deny"]) == ("report_only_mode", "no_grant")
    await change(lkps, {"access_mode": "open"})
    assert await outcome(lkps, CRM) == 200
    assert (lkps.rows[-1]["rule"], lkps.rows[-1]["would_deny"]) == ("open", "agent_sessions_limit")


async def test_the_trail_has_who_changed_what_as_it_was_and_as_it_is(lkps: Lkps) -> None:
    answer = await change(lkps, {"owners": ids("user olga"), "max_sessions": 7})
    row = lkps.rows[-1]
    assert (row["action"], row["outcome"]) == ("agent.changed", "success")
    assert (row["agent_name"], row["oid"]) == ("concierge", guid("user olga"))
    assert row["before"] == {"owners": texts("user olga", "sp owner"), "max_sessions": None}
    assert row["after"] == {"owners": texts("user olga"), "max_sessions": 7}
    assert row["request_id"] == answer.headers["X-Request-ID"]


async def test_the_trail_has_all_of_a_new_agent(lkps: Lkps) -> None:
    body = {"owners": ids("user olga"), "contact": CONTACT, "beat_id": "BEAT-7"}
    await lkps.assign(body, "other")
    row = lkps.rows[-1]
    assert (row["action"], row["agent_name"]) == ("agent.assigned", "other")
    assert not row.get("before")
    assert row["after"] == {
        "runners": [],
        "owners": [f"{TENANT}:{guid('user olga')}"],
        "contact": CONTACT,
        "beat_id": "BEAT-7",
        "access_mode": "open",
        "report_only": False,
    }


@pytest.mark.parametrize("members", [{}, {"access_mode": "granted"}, {"contact": CONTACT}])
async def test_a_change_that_changes_nothing_is_not_recorded(
    lkps: Lkps, members: dict[str, Any]
) -> None:
    etag = (await lkps.send("GET", PATH, by=OLGA)).headers["ETag"]
    rows, writes = lkps.rows, lkps.agents.calls.count("replace")
    answer = await change(lkps, members)
    assert (answer.status, answer.headers["ETag"]) == (200, etag)
    assert (lkps.rows, lkps.agents.calls.count("replace")) == (rows, writes)


async def test_an_assignment_as_it_is_is_not_recorded(lkps: Lkps) -> None:
    body = {
        "runners": ids("sp agent"),
        "owners": ids("sp owner", "user olga", "sp owner"),
        "contact": CONTACT,
    }
    rows = lkps.rows
    assert (await lkps.assign(body)).status == 200
    assert lkps.rows == rows


@pytest.mark.usefixtures("impatient")
async def test_without_the_trail_nothing_changes(lkps: Lkps) -> None:
    before = await shown(lkps)
    lkps.trail.down = True
    assert refused(await change(lkps, {"max_sessions": 7})) == (503, "audit_unavailable")
    assert refused(await lkps.assign({}, "other")) == (503, "audit_unavailable")
    lkps.trail.down = False
    assert await shown(lkps.another_process()) == before
    assert await lkps.agents.get("agents", "other") is None


async def test_a_change_whose_answer_was_lost_is_made_once_by_trying_again(lkps: Lkps) -> None:
    table = SteppingRows(lkps.agents)
    table.lose("replace")
    process = replace(lkps, agents=table, seed=3)
    assert refused(await change(process, {"max_sessions": 7})) == (503, "storage_unavailable")
    assert (await change(process, {"max_sessions": 7})).json["max_sessions"] == 7
    rows = [row for row in lkps.rows if row["action"] == "agent.changed"]
    told = [(row["outcome"], row.get("reason")) for row in rows[-2:]]
    assert told == [("success", None), ("failed", "outcome_unknown")]
