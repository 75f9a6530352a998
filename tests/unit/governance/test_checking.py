"""The dry run: what whoever has to do with an agent is told, and strangers are not."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkps_core.agents.model import AccessMode, Agent
from lkps_core.identity import PrincipalId
from lkps_core.policy.explaining import EXPLANATIONS
from lkps_core.policy.model import Grant, PlatformLimits, Revocation, Scope, grant_id
from lkps_core.sessions.model import Session
from tests.builders.lkps import AGENT, ALICE, CLIENT, Answered, Lkps, app, guid, user
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
    Plain,
    block,
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
ANN_IN_SALES = person("ann", groups=[SALES])
OVERAGE_ANN = person("ann", overage=True)
CALLING_OLGA = person("olga", "Agent.Manage", "Session.Start", through="cli")
OLGA_THROUGH_CRM = person("olga", "Agent.Manage", "Session.Start")
CALLING_RUNNER = app("agent", "LKPS.Client", "LKPS.Agent")
CALLING_ADMIN = app("admin", "LKPS.Client", "LKPS.Admin")
ANN_ID = guid("user ann")
BOB_ID = guid("user bob")
LONGEST = 4 * 3600


async def ask(lkps: Lkps, by: str, name: str = "concierge", **members: object) -> Answered:
    return await lkps.send("POST", "authorization/check", {"agent_name": name, **members}, by=by)


async def told(lkps: Lkps, by: str, name: str = "concierge", **members: object) -> dict[str, Any]:
    answer = await ask(lkps, by, name, **members)
    assert answer.status == 200, answer.raw
    return answer.json


# What the related are told: who is let in


async def test_who_is_let_in_by_an_open_agent_is_told_so() -> None:
    lkps = await governed(access_mode="open", max_session_seconds=600)
    assert await told(lkps, CRM) == {
        "agent_name": "concierge",
        "allowed": True,
        "rule": "open",
        "max_session_seconds": 600,
        "reasons": [
            {
                "rule": "open",
                "detail": "The agent is open to every client.",
                "change": "Nothing.",
                "who": "agent_owner",
            }
        ],
        "contact": CONTACT,
    }


async def test_who_is_let_in_by_a_grant_is_told_which(lkps: Lkps) -> None:
    grant_id = await granted(lkps)
    answer = await told(lkps, CRM)
    assert (answer["allowed"], answer["rule"], answer["grant_id"]) == (True, "granted", grant_id)
    assert answer["reasons"][-1]["grant_id"] == grant_id
    assert (answer["max_session_seconds"], answer["contact"]) == (LONGEST, CONTACT)


async def test_a_longer_grant_than_the_service_allows_is_told_as_what_the_service_allows(
    lkps: Lkps,
) -> None:
    await granted(lkps, max_session_seconds=24 * 3600)
    assert (await told(lkps, CRM))["max_session_seconds"] == LONGEST


@pytest.mark.parametrize(
    ("terms", "members", "rule"),
    [
        ({"group_id": SALES, "report_only": True}, {}, "report_only_grant"),
        ({"group_id": SALES}, {"report_only": True}, "report_only_mode"),
    ],
)
async def test_who_is_let_in_by_report_only_is_told_what_would_deny(
    terms: dict[str, Any], members: dict[str, Any], rule: str
) -> None:
    lkps = await governed(**members)
    grant_id = await granted(lkps, **terms)
    answer = await told(lkps, ANN)
    assert (answer["allowed"], answer["rule"]) == (True, rule)
    assert answer["would_deny"] == "group_lacking"
    assert [one["rule"] for one in answer["reasons"]] == ["group_lacking", rule]
    assert grant_id not in str(answer)
    assert (await told(lkps, OLGA_THROUGH_CRM))["reasons"][0]["grant_id"] == grant_id
    assert "enforced" in answer["reasons"][1]["change"]


# What the related are told: who is refused


@dataclass(frozen=True)
class Case:
    """A caller with something to do with the agent, and why it is refused."""

    rule: str
    by: str
    code: str
    who: str
    grants: tuple[dict[str, Any], ...] = ()
    members: dict[str, Any] = field(default_factory=dict[str, Any])
    blocked: dict[str, Any] = field(default_factory=dict[str, Any])
    limits: dict[str, Any] = field(default_factory=dict[str, Any])
    sessions: int = 0
    after: float = 0


PASSED = (NOW + timedelta(seconds=5)).isoformat()
CASES = [
    Case("permission_lacking", OLGA, "permission_lacking", "entra_admin"),
    Case(
        "application_blocked",
        CRM,
        "caller_blocked",
        "platform_admin",
        grants=({},),
        blocked={"client_app_id": CRM_ID},
    ),
    Case(
        "user_blocked",
        ANN,
        "caller_blocked",
        "platform_admin",
        grants=({"any_user": True},),
        blocked={"user_oid": ANN_ID},
    ),
    Case(
        "agent_blocked",
        CRM,
        "agent_not_callable",
        "platform_admin",
        grants=({},),
        blocked={"agent_name": "concierge"},
    ),
    Case(
        "agent_closed",
        CRM,
        "agent_not_callable",
        "agent_owner",
        grants=({},),
        members={"access_mode": "closed"},
    ),
    Case("no_grant", CALLING_OLGA, "agent_not_callable", "agent_owner"),
    Case("no_grant", CALLING_RUNNER, "agent_not_callable", "agent_owner"),
    Case("no_grant", CALLING_ADMIN, "agent_not_callable", "agent_owner"),
    Case(
        "grant_expired",
        CRM,
        "agent_not_callable",
        "agent_owner",
        grants=({"expires_at": PASSED},),
        after=5,
    ),
    Case("grant_for_users", CRM, "agent_not_callable", "agent_owner", grants=({"any_user": True},)),
    Case("grant_for_application", ANN, "agent_not_callable", "agent_owner", grants=({},)),
    Case("group_lacking", ANN, "agent_not_callable", "entra_admin", grants=({"group_id": SALES},)),
    Case(
        "groups_overage",
        OVERAGE_ANN,
        "groups_overage",
        "entra_admin",
        grants=({"group_id": SALES},),
    ),
    Case(
        "user_lacking",
        CALLING_OLGA,
        "agent_not_callable",
        "agent_owner",
        grants=({"client_app_id": guid("app cli"), "user_oid": BOB_ID},),
    ),
    Case(
        "grant_sessions_limit",
        CRM,
        "too_many_sessions",
        "you",
        grants=({"max_sessions": 2},),
        sessions=2,
    ),
    Case(
        "agent_sessions_limit",
        CRM,
        "too_many_sessions",
        "agent_owner",
        grants=({},),
        members={"max_sessions": 2},
        sessions=2,
    ),
    Case(
        "platform_sessions_limit",
        CRM,
        "too_many_sessions",
        "platform_admin",
        grants=({},),
        limits={"max_sessions_per_agent": 2},
        sessions=2,
    ),
]


async def arranged(case: Case) -> Lkps:
    lkps = await governed(**case.members)
    for terms in case.grants:
        await granted(lkps, **terms)
    if case.limits:
        await lkps.send("PUT", "limits", case.limits, by=ADA, headers={"if-match": "*"})
    for _ in range(case.sessions):
        assert await outcome(lkps, case.by) == 200
    if case.blocked:
        await block(lkps, **case.blocked)
    lkps.clock.pass_by(case.after)
    return lkps


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.rule)
async def test_who_is_refused_is_told_the_rule_what_would_change_it_and_who_can(
    case: Case,
) -> None:
    lkps = await arranged(case)
    answer = await told(lkps, case.by)
    assert (answer["allowed"], answer["rule"]) == (False, case.rule)
    assert answer["contact"] == CONTACT
    assert "max_session_seconds" not in answer
    reason = next(one for one in answer["reasons"] if one["rule"] == case.rule)
    explained = EXPLANATIONS[case.rule]  # type: ignore[index]
    assert (reason["detail"], reason["change"], reason["who"]) == explained
    assert reason["who"] == case.who
    assert await outcome(lkps, case.by) == case.code


async def test_each_of_several_grants_is_told_with_what_it_lacks(lkps: Lkps) -> None:
    lacking = {
        await granted(lkps): "grant_for_application",
        await granted(lkps, group_id=SALES): "group_lacking",
        await granted(lkps, user_oid=BOB_ID): "user_lacking",
    }
    answer = await told(lkps, OLGA_THROUGH_CRM)
    assert answer["rule"] == "group_lacking"
    assert {one["grant_id"]: one["rule"] for one in answer["reasons"]} == lacking


# What the related are told of others: nothing


@dataclass(frozen=True)
class Elsewhere:
    """Grants, some of them for BOB alone, and what somebody else is told."""

    by: str
    grants: tuple[dict[str, Any], ...]
    rule: str
    reasons: tuple[str, ...]
    would_deny: str | None = None
    members: dict[str, Any] = field(default_factory=dict[str, Any])


FOR_BOB = {"user_oid": BOB_ID}
EXPIRED = {"expires_at": NOW.isoformat()}
ELSEWHERE = {
    "one": Elsewhere(ANN, (FOR_BOB,), "not_callable", ("not_callable",)),
    "an expired one": Elsewhere(ANN, ({**FOR_BOB, **EXPIRED},), "not_callable", ("not_callable",)),
    "to the application itself": Elsewhere(CRM, (FOR_BOB,), "not_callable", ("not_callable",)),
    "to who is in too many groups": Elsewhere(
        OVERAGE_ANN, (FOR_BOB,), "not_callable", ("groups_overage", "not_callable")
    ),
    "beside what decides": Elsewhere(
        ANN, (FOR_BOB, {"group_id": SALES}), "group_lacking", ("group_lacking",)
    ),
    "that decides": Elsewhere(
        ANN, (FOR_BOB, {}), "no_grant", ("grant_for_application", "no_grant")
    ),
    "beside an own one": Elsewhere(ANN, (FOR_BOB, {"user_oid": ANN_ID}), "granted", ("granted",)),
    "beside an own one that has expired": Elsewhere(
        ANN,
        (FOR_BOB, {"user_oid": ANN_ID, **EXPIRED}),
        "no_grant",
        ("grant_expired", "no_grant"),
    ),
    "in report-only": Elsewhere(
        ANN,
        ({**FOR_BOB, "report_only": True},),
        "report_only_grant",
        ("no_grant", "report_only_grant"),
        "no_grant",
    ),
    "of an agent in report-only": Elsewhere(
        ANN,
        (FOR_BOB,),
        "report_only_mode",
        ("no_grant", "report_only_mode"),
        "no_grant",
        {"report_only": True},
    ),
    "of an agent in report-only, beside what would decide": Elsewhere(
        ANN,
        (FOR_BOB, {"group_id": SALES}),
        "report_only_mode",
        ("group_lacking", "report_only_mode"),
        "group_lacking",
        {"report_only": True},
    ),
}


@pytest.mark.parametrize("case", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_of_a_grant_for_another_user_nothing_is_told(case: Elsewhere) -> None:
    lkps = await governed(**case.members)
    given = [await granted(lkps, **terms) for terms in case.grants]
    answer = await told(lkps, case.by)
    assert (answer["rule"], answer.get("would_deny")) == (case.rule, case.would_deny)
    assert tuple(one["rule"] for one in answer["reasons"]) == case.reasons
    assert answer["allowed"] == (await outcome(lkps, case.by) == 200)
    assert ("contact" in answer) == (case.rule != "not_callable")
    of_others = given if case.rule != "granted" else given[:1]
    assert not [one for one in of_others if one in str(answer)]
    explained = EXPLANATIONS["no_grant"]
    for one in answer["reasons"]:
        if one["rule"] == "no_grant":
            assert (one["detail"], one["change"], one["who"]) == explained


async def test_how_many_others_are_granted_is_not_told(lkps: Lkps) -> None:
    await granted(lkps, group_id=SALES)
    alone = await told(lkps, ANN)
    for number in range(60):
        await granted(lkps, user_oid=guid(f"user {number}"))
    assert await told(lkps, ANN) == alone


async def test_that_an_agent_in_report_only_is_full_tells_of_no_others_grant() -> None:
    lkps = await governed(report_only=True)
    limits = {"max_sessions_per_agent": 1}
    await lkps.send("PUT", "limits", limits, by=ADA, headers={"if-match": "*"})
    assert await outcome(lkps, CRM) == 200
    alone = await told(lkps, ANN)
    await granted(lkps, user_oid=BOB_ID)
    assert await told(lkps, ANN) == alone
    assert alone["rule"] == "platform_sessions_limit"


async def test_a_full_grant_of_ones_own_is_told_by_its_id(lkps: Lkps) -> None:
    await granted(lkps, user_oid=BOB_ID)
    grant_id = await granted(lkps, user_oid=ANN_ID, max_sessions=1)
    assert await outcome(lkps, ANN) == 200
    answer = await told(lkps, ANN)
    (reason,) = answer["reasons"]
    assert (answer["rule"], reason["grant_id"]) == ("grant_sessions_limit", grant_id)


async def test_who_runs_an_agent_is_told_of_every_grant(lkps: Lkps) -> None:
    client = guid("app agent")
    grant_id = await granted(lkps, client_app_id=client, user_oid=BOB_ID)
    answer = await told(lkps, CALLING_RUNNER)
    assert (answer["rule"], answer["reasons"][-1]["grant_id"]) == ("grant_for_users", grant_id)


async def test_of_very_many_grants_the_first_are_told(lkps: Lkps) -> None:
    for number in range(60):
        await granted(lkps, group_id=guid(f"group {number}"))
    answer = await told(lkps, ANN)
    assert (answer["rule"], len(answer["reasons"])) == ("group_lacking", 50)


async def test_what_was_granted_is_told_of_though_the_application_is_blocked(lkps: Lkps) -> None:
    await granted(lkps)
    await block(lkps, client_app_id=CRM_ID)
    assert (await told(lkps, CRM))["contact"] == CONTACT


async def test_an_admin_is_told_that_there_is_no_such_agent(lkps: Lkps) -> None:
    answer = await told(lkps, CALLING_ADMIN, "nobody")
    assert (answer["rule"], answer["reasons"][0]["rule"]) == ("agent_unknown", "agent_unknown")
    assert "contact" not in answer


@pytest.mark.parametrize("of_platform", [True, False])
async def test_who_may_call_an_open_agent_that_is_full_is_told_that_it_is(
    of_platform: bool,
) -> None:
    lkps = await governed(access_mode="open")
    if of_platform:
        limits = {"max_sessions_per_agent": 1}
        await lkps.send("PUT", "limits", limits, by=ADA, headers={"if-match": "*"})
    else:
        await change(lkps, {"max_sessions": 1})
    assert await outcome(lkps, ANN) == 200
    answer = await told(lkps, CRM)
    rule = "platform_sessions_limit" if of_platform else "agent_sessions_limit"
    assert (answer["allowed"], answer["rule"], answer["contact"]) == (False, rule, CONTACT)
    assert await outcome(lkps, CRM) == "too_many_sessions"


async def test_asking_makes_and_records_nothing(lkps: Lkps) -> None:
    await granted(lkps)
    rows = lkps.rows
    for by in (CRM, ANN, CLIENT):
        await told(lkps, by)
    assert (lkps.rows, lkps.rooms.rooms, lkps.sessions._rows) == (rows, {}, {})


# What strangers are told


STRANGERS = {
    "an application": CLIENT,
    "a user": ALICE,
    "a user in too many groups": person("sam", through="another app", overage=True),
    "another user": user("sam", "Session.Start"),
    "an application that manages others": app("other owner", "LKPS.Manage", "LKPS.Client"),
    "an application that only manages": OTHER_OWNER,
    "a user who only manages": user("nina", "Agent.Manage"),
    "a user who is blocked": user("villain", "Session.Start", "Agent.Manage"),
}
AGENTS = (
    "desk-closed",
    "desk-ungranted",
    "desk-granted-to-others",
    "desk-granted-to-one",
    "desk-blocked",
    "desk-expired",
    "desk-closed-report-only",
)


@pytest.fixture
async def world() -> Lkps:
    """Agents that are unlike one another, and none that a stranger has to do with."""
    lkps = Lkps()
    body = {
        "owners": ids("user olga"),
        "runners": ids("sp agent"),
        "contact": CONTACT,
        "access_mode": "granted",
    }
    for name in AGENTS:
        assert (await lkps.assign(body, name)).status == 201
    await change(lkps, {"access_mode": "closed", "max_sessions": 7}, name="desk-closed")
    closed = {"access_mode": "closed", "report_only": True}
    await change(lkps, closed, name="desk-closed-report-only")
    await grant(lkps, name="desk-granted-to-others")
    await grant(lkps, name="desk-granted-to-others", any_user=True)
    for client in ("client", "cli", "another app", "other owner"):
        whose: dict[str, Any] = {"client_app_id": guid(f"app {client}"), "user_oid": BOB_ID}
        await grant(lkps, name="desk-granted-to-one", **whose)
        await grant(lkps, name="desk-expired", **whose, expires_at=NOW.isoformat())
    await grant(lkps, name="desk-expired", expires_at=NOW.isoformat())
    await change(lkps, {"access_mode": "open"}, name="desk-blocked")
    await lkps.register("desk-granted-to-others", by=AGENT)
    await block(lkps, agent_name="desk-blocked")
    await block(lkps, user_oid=guid("user villain"))
    return lkps


type Touch = Callable[[Lkps, str, str], Awaitable[Answered]]


def touch(method: str, path: str, body: object = None) -> Touch:
    async def send(lkps: Lkps, name: str, by: str) -> Answered:
        headers = {"if-match": "*"}
        return await lkps.send(method, path.format(name), body, by=by, headers=headers)

    return send


SOME_GRANT = f"{TENANT}:{CRM_ID}:" + "0" * 26
TOUCHES: dict[str, Touch] = {
    "start": lambda lkps, name, by: lkps.start(name, by=by),
    "start with a key": lambda lkps, name, by: lkps.start(name, by=by, key="one"),
    "check": lambda lkps, name, by: ask(lkps, by, name),
    "check another": lambda lkps, name, by: ask(lkps, by, name, caller={"client_app_id": CRM_ID}),
    "show": touch("GET", "agents/{}"),
    "change": touch("PATCH", "agents/{}", {"access_mode": "open"}),
    "rotate": touch("POST", "agents/{}/rotate", {"reason": "a test"}),
    "list grants": touch("GET", "agents/{}/grants"),
    "grant": touch("POST", "agents/{}/grants", {"client_app_id": CRM_ID, "reason": "a test"}),
    "show grant": touch("GET", "agents/{}/grants/" + SOME_GRANT),
    "change grant": touch("PATCH", "agents/{}/grants/" + SOME_GRANT, {"max_sessions": 7}),
    "remove grant": touch("DELETE", "agents/{}/grants/" + SOME_GRANT),
    "plan": lambda lkps, name, by: lkps.send(
        "POST", "policy/plan", {"agents": {name: {"access_mode": "open"}}}, by=by
    ),
    "apply": lambda lkps, name, by: lkps.send(
        "POST", "policy/apply", {"agents": {name: {"grants": []}}}, by=by
    ),
}


async def observed(lkps: Lkps, what: str, name: str, by: str) -> tuple[Plain, list[list[str]]]:
    """The answer without request id and agent name, and the calls that it cost."""
    before = calls(lkps)
    answer = await TOUCHES[what](lkps, name, by)
    return plain(answer, name), since(before, lkps)


@pytest.mark.parametrize("warmth", ["cold", "warm"])
@pytest.mark.parametrize("what", TOUCHES)
@pytest.mark.parametrize("by", STRANGERS.values(), ids=STRANGERS)
async def test_to_a_stranger_every_agent_is_as_one_that_never_was(
    world: Lkps, by: str, what: str, warmth: str
) -> None:
    for seed, name in enumerate((*AGENTS, "nobody"), 1):
        process = replace(world, seed=seed)
        await process.send("GET", "limits", by=ADA)
        if warmth == "warm":
            await process.send("GET", f"agents/{name}", by=ADA)
            await process.start(name, by=CRM)
        found = await observed(process, what, name, by)
        again = await observed(process, what, name, by)
        if name == AGENTS[0]:
            expected = found, again
        assert (found, again) == expected
        assert found[0][0] in (200, 403, 404, 422)
        assert CONTACT.encode() not in found[0][2]


async def test_a_stranger_is_told_that_they_may_not_call_it_or_that_there_is_none(
    lkps: Lkps,
) -> None:
    assert await told(lkps, CRM) == {
        "agent_name": "concierge",
        "allowed": False,
        "rule": "not_callable",
        "reasons": [
            {
                "rule": "not_callable",
                "detail": "You may not call that agent, or there is none of that name.",
                "change": "If there is one, its owners can grant it to your client application.",
                "who": "agent_owner",
            }
        ],
    }


async def test_a_stranger_in_too_many_groups_is_told_so_as_well(lkps: Lkps) -> None:
    answer = await told(lkps, OVERAGE_ANN)
    assert answer["rule"] == "not_callable"
    assert [one["rule"] for one in answer["reasons"]] == ["groups_overage", "not_callable"]


async def test_a_grant_to_one_user_leaves_an_applications_other_users_strangers(
    lkps: Lkps,
) -> None:
    before = plain(await ask(lkps, ANN))
    await granted(lkps, user_oid=BOB_ID)
    assert plain(await ask(lkps, ANN)) == before
    assert (await told(lkps, person("bob")))["rule"] == "granted"
    assert (await told(lkps, person("bob", through="another app")))["rule"] == "not_callable"


async def test_a_name_that_no_agent_can_have_cannot_be_asked_about(lkps: Lkps) -> None:
    answer = await ask(lkps, CRM, "No Agent")
    assert refused(answer) == (422, "body_invalid")
    assert answer.json["errors"][0]["pointer"] == "/agent_name"


@pytest.mark.parametrize("by", [AGENT, app("auditor", "LKPS.Auditor"), user("ann", "Audit.Read")])
async def test_who_neither_calls_nor_manages_asks_nothing(lkps: Lkps, by: str) -> None:
    assert refused(await ask(lkps, by)) == (403, "permission_lacking")


# Supposed callers


SUPPOSED: dict[str, tuple[dict[str, Any], str]] = {
    "application": ({"client_app_id": CRM_ID}, CRM),
    "user": ({"client_app_id": CRM_ID, "user_oid": ANN_ID}, ANN),
    "user in a group": (
        {"client_app_id": CRM_ID, "user_oid": ANN_ID, "groups": [SALES]},
        ANN_IN_SALES,
    ),
    "user in too many groups": (
        {"client_app_id": CRM_ID, "user_oid": ANN_ID, "groups_overage": True},
        OVERAGE_ANN,
    ),
}
TERMS: list[dict[str, Any]] = [
    {},
    {"any_user": True},
    {"group_id": SALES},
    {"user_oid": ANN_ID},
    {"user_oid": BOB_ID, "report_only": True},
]


@pytest.mark.parametrize("by", [OLGA, OWNER, ADA])
@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("supposed", SUPPOSED)
async def test_of_a_supposed_caller_an_owner_is_told_what_is_decided_of_a_real_one(
    lkps: Lkps, supposed: str, terms: dict[str, Any], by: str
) -> None:
    grant_id = await granted(lkps, **terms)
    caller, real = SUPPOSED[supposed]
    answer = await told(lkps, by, caller=caller)
    started = await lkps.start(by=real)
    row = lkps.rows[-1]
    assert answer["allowed"] == (started.status == 200)
    assert answer["rule"] == row["rule" if answer["allowed"] else "reason"]
    assert answer.get("would_deny") == row.get("would_deny")
    assert answer["reasons"][0]["grant_id"] == grant_id


async def test_of_a_stranger_an_owner_is_told_all(lkps: Lkps) -> None:
    answer = await told(lkps, OLGA, caller={"client_app_id": CRM_ID})
    assert (answer["rule"], answer["contact"]) == ("no_grant", CONTACT)


async def test_of_who_is_blocked_an_owner_is_told_so(lkps: Lkps) -> None:
    await block(lkps, user_oid=ANN_ID)
    answer = await told(lkps, OLGA, caller={"client_app_id": CRM_ID, "user_oid": ANN_ID})
    assert answer["rule"] == "user_blocked"


@pytest.mark.parametrize(
    "blocked", [{"user_oid": guid("user olga")}, {"client_app_id": guid("app cli")}]
)
async def test_who_is_blocked_asks_about_themselves_alone(
    lkps: Lkps, blocked: dict[str, Any]
) -> None:
    await block(lkps, by=app("admin", "LKPS.Admin"), **blocked)
    assert (await told(lkps, CALLING_OLGA))["rule"] in ("user_blocked", "application_blocked")
    answer = await ask(lkps, CALLING_OLGA, caller={"client_app_id": CRM_ID})
    assert refused(answer) == (403, "caller_blocked")
    assert lkps.rows[-1]["reason"] in ("user_blocked", "application_blocked")


@pytest.mark.parametrize("by", [CRM, ANN, OTHER_OWNER, ALICE, CALLING_RUNNER])
async def test_about_others_only_who_manages_the_agent_asks(lkps: Lkps, by: str) -> None:
    await granted(lkps)
    await granted(lkps, any_user=True)
    for name in ("concierge", "nobody"):
        answer = await ask(lkps, by, name, caller={"client_app_id": CRM_ID})
        assert refused(answer) == (404, "agent_not_found")


async def test_an_agents_own_runner_does_not_ask_about_others(lkps: Lkps) -> None:
    await lkps.assign({"owners": ids("sp agent"), "runners": ids("sp agent")})
    runner = app("agent", "LKPS.Manage")
    answer = await ask(lkps, runner, caller={"client_app_id": CRM_ID})
    assert refused(answer) == (403, "runner_may_not_manage")


@pytest.mark.parametrize(
    ("caller", "pointer"),
    [
        ({}, "/caller/client_app_id"),
        ({"client_app_id": "crm"}, "/caller/client_app_id"),
        ({"client_app_id": CRM_ID, "user_oid": "ann"}, "/caller/user_oid"),
        ({"client_app_id": CRM_ID, "groups": ["sales"]}, "/caller/groups/0"),
        ({"client_app_id": CRM_ID, "tid": TENANT}, "/caller/tid"),
    ],
)
async def test_a_caller_who_cannot_be_supposed_is_refused_by_its_pointer(
    lkps: Lkps, caller: dict[str, Any], pointer: str
) -> None:
    answer = await ask(lkps, OLGA, caller=caller)
    assert answer.json["errors"][0]["pointer"] == pointer


# Check and start agree


CALLERS = {
    "the application": CRM,
    "a user": ANN,
    "a user in the group": ANN_IN_SALES,
    "a user in too many groups": OVERAGE_ANN,
    "another application": CLIENT,
    "an owner who calls": CALLING_OLGA,
    "an owner": OLGA,
    "an admin": CALLING_ADMIN,
    "another user elsewhere": person("bob", through="another app"),
}
SEE_ALL = ("an owner who calls", "an owner", "an admin")
CODES = {
    "permission_lacking": "permission_lacking",
    "application_blocked": "caller_blocked",
    "user_blocked": "caller_blocked",
    "groups_overage": "groups_overage",
    "grant_sessions_limit": "too_many_sessions",
    "agent_sessions_limit": "too_many_sessions",
    "platform_sessions_limit": "too_many_sessions",
}
SOMEBODY = PrincipalId(TENANT, guid("user olga"))

moments = st.sampled_from((-1, 0, 1, 60)).map(lambda seconds: NOW + timedelta(seconds=seconds))
few = st.none() | st.integers(1, 3)
seconds = st.none() | st.integers(10, 20_000)


@st.composite
def agents(draw: st.DrawFn) -> Agent:
    mode: AccessMode = draw(st.sampled_from(("open", "granted", "granted", "closed")))
    return Agent(
        "concierge",
        runners=frozenset(),
        owners=frozenset((SOMEBODY,)),
        created_at=NOW,
        access_mode=mode,
        report_only=draw(st.booleans()),
        max_sessions=draw(few),
        max_session_seconds=draw(seconds),
    )


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    scope: Scope = draw(st.sampled_from(("application", "any_user", "group", "user")))
    of_scope = {
        "group": st.sampled_from((SALES, guid("group other"))),
        "user": st.sampled_from((ANN_ID, BOB_ID)),
    }
    scope_id: str | None = draw(of_scope.get(scope, st.none()))
    client = draw(st.sampled_from((CRM_ID, CRM_ID, guid("app client"), guid("app cli"))))
    return Grant(
        grant_id(TENANT, client, scope, scope_id),
        "concierge",
        TENANT,
        client,
        scope,
        scope_id,
        "a test",
        SOMEBODY,
        NOW,
        expires_at=draw(st.none() | moments),
        max_sessions=draw(few),
        max_session_seconds=draw(seconds),
        report_only=draw(st.booleans()),
    )


SUBJECTS = (
    "agent:concierge",
    "agent:other",
    f"application:{TENANT}:{CRM_ID}",
    f"user:{TENANT}:{ANN_ID}",
    f"user:{TENANT}:{guid('sp crm')}",
)
blocks = st.builds(
    Revocation,
    st.sampled_from(SUBJECTS),
    st.just("a test"),
    st.just(SOMEBODY),
    st.just(NOW),
    st.none() | moments,
)
limits = st.builds(
    PlatformLimits,
    max_sessions_per_agent=few,
    max_session_seconds=st.none() | st.integers(10, 20_000),
)


async def live(
    agent: Agent | None,
    of_agent: list[Grant],
    blocked: list[Revocation],
    of_platform: PlatformLimits | None,
    sessions: list[int],
) -> Lkps:
    """The service with these rows, and sessions open under the grants at these places."""
    lkps = Lkps()
    if agent is not None:
        await lkps.agents.add(agent)
    if of_platform is not None:
        await lkps.limits.add(of_platform)
    for one in of_agent:
        await lkps.grants.add(one)
    for block_ in blocked:
        await lkps.revocations.add(block_)
    for number, place in enumerate(sessions):
        under = of_agent[place % len(of_agent)].id if of_agent else None
        await lkps.sessions.add(_session(number, under))
    return lkps


def _session(number: int, under: str | None) -> Session:
    return Session(
        id=f"concierge--{'abc'[number] * 26}",
        agent_name="concierge",
        starter=SOMEBODY,
        azp=CRM_ID,
        room_name=f"room {number}",
        participant_identity="somebody",
        body_sha256="",
        attempt="",
        created_at=NOW,
        ends_at=NOW + timedelta(hours=1),
        token_until=NOW + timedelta(minutes=5),
        grant_id=under,
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    agent=st.none() | agents(),
    of_agent=st.lists(grants(), max_size=4, unique_by=lambda one: one.id),
    blocked=st.lists(blocks, max_size=2, unique_by=lambda one: one.subject),
    of_platform=st.none() | limits,
    sessions=st.lists(st.integers(0, 3), max_size=3),
    caller=st.sampled_from(sorted(CALLERS)),
)
async def test_what_a_check_says_is_what_a_start_does(
    agent: Agent | None,
    of_agent: list[Grant],
    blocked: list[Revocation],
    of_platform: PlatformLimits | None,
    sessions: list[int],
    caller: str,
) -> None:
    by = CALLERS[caller]
    lkps = await live(agent, of_agent, blocked, of_platform, sessions)
    for _ in range(3):  # from cold, then from memory, with the sessions that were started since
        answer = await told(lkps, by)
        started = await lkps.start(by=by)
        assert answer["allowed"] == (started.status == 200)
        if answer["allowed"]:
            row = lkps.rows[-1]
            assert row["rule"] == answer["rule"]
            if caller in SEE_ALL or answer["rule"] == "granted":
                assert row.get("grant_id") == answer.get("grant_id")
            if caller in SEE_ALL or answer.get("would_deny") != "no_grant":
                assert row.get("would_deny") == answer.get("would_deny")
            stored = await lkps.sessions.get("concierge", started.json["session_id"])
            assert stored is not None
            longest = (stored.row.ends_at - stored.row.created_at).total_seconds()
            assert longest == answer["max_session_seconds"]
        else:
            not_callable = "groups_overage" if by == OVERAGE_ANN else "agent_not_callable"
            assert started.json["code"] == CODES.get(answer["rule"], not_callable)
