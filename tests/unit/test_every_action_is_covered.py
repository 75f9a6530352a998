"""Nothing changes and no token leaves without a row of the trail, at any address of the API."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any, get_args

import pytest

from lkps_core.api.openapi import description
from lkps_core.audit.event import Action
from tests.builders import tokens
from tests.builders.events import event, signature
from tests.builders.lkps import ADMIN, AGENT, AUDITOR, CLIENT, Answered, Lkps, app, guid
from tests.docs.pages import ROOT
from tests.docs.test_audit_page import exempt_routes

NOBODY = app("nobody")
WHY = "a test"
ANOTHER = guid("app another")
SOON = f"{(tokens.NOW + timedelta(seconds=30)).isoformat()[:19]}Z"
LATER = f"{(tokens.NOW + timedelta(hours=1)).isoformat()[:19]}Z"


@dataclass(frozen=True)
class Case:
    """How an operation succeeds where all of THERE is, and the row that it leaves then."""

    action: Action | None
    by: str = ADMIN
    body: object = None
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"if-match": "*"})


TOLD = event("room_finished", "test--concierge--" + "z" * 26, tokens.NOW)
HEARD = signature(json.dumps(TOLD).encode(), tokens.NOW)
FAILED = {"session_id": "", "participant_identity": "agent-AJ_1", "outcome": "failed"}
"""Of the session that is there."""

CASES = {
    "POST agent/register": Case("agent.registered", AGENT, {"agent_name": "concierge"}),
    "POST agent/registrations/{id}/renew": Case(
        "agent.renewed", AGENT, {"token_expires_at": SOON, "routing_version": 1}
    ),
    "DELETE agent/registrations/{id}": Case("agent.deregistered", AGENT),
    "GET agents": Case(None),
    "GET agents/{name}": Case(None),
    "PUT agents/{name}": Case("agent.changed", body={"beat_id": "BEAT-1"}),
    "PATCH agents/{name}": Case("agent.changed", body={"access_mode": "closed"}),
    "POST agents/{name}/rotate": Case("agent.rotated", body={"reason": WHY}),
    "GET agents/{name}/grants": Case(None),
    "POST agents/{name}/grants": Case(
        "grant.created", body={"client_app_id": ANOTHER, "reason": WHY}
    ),
    "GET agents/{name}/grants/{grant_id}": Case(None),
    "PATCH agents/{name}/grants/{grant_id}": Case("grant.changed", body={"max_sessions": 7}),
    "DELETE agents/{name}/grants/{grant_id}": Case("grant.removed"),
    "POST session/start": Case("session.authorized", CLIENT, {"agent_name": "concierge"}),
    "POST session/{id}/token": Case("session.authorized", CLIENT),
    "POST session/{id}/invitations": Case("session.invited", CLIENT),
    "GET sessions": Case(None, CLIENT, query="?agent_name=concierge"),
    "GET session/{id}": Case(None, CLIENT),
    "POST session/{id}/end": Case("session.ended", CLIENT),
    "GET session/{id}/receipt": Case(None, CLIENT),
    "GET whoami": Case(None),
    "POST authorization/check": Case(None, CLIENT, {"agent_name": "concierge"}),
    "GET policy": Case(None),
    "POST policy/plan": Case(None, body={"agents": {"concierge": {"access_mode": "closed"}}}),
    "POST policy/apply": Case(
        "policy.applied", body={"agents": {"concierge": {"access_mode": "closed"}}}
    ),
    "POST revocations": Case("revocation.created", body={"user_oid": ANOTHER, "reason": WHY}),
    "GET revocations": Case(None),
    "GET revocations/{id}": Case(None),
    "DELETE revocations/{id}": Case("revocation.lifted"),
    "GET limits": Case(None),
    "PUT limits": Case("limits.changed", body={"starts_per_minute_per_user": 7}),
    "GET audit": Case("audit.read"),
    "GET audit/export": Case("audit.exported", by=AUDITOR, query=f"?from={SOON}&to={LATER}"),
    "GET audit/checkpoints": Case(None),
    "POST audit/reindex": Case(
        "audit.reindexed", body={"from": "2026-11-24", "to": "2026-11-25", "reason": WHY}
    ),
    "GET audit/holds": Case(None),
    "POST audit/holds": Case("hold.placed", body={"subject": f"user:{ANOTHER}", "reason": WHY}),
    "DELETE audit/holds/{id}": Case("hold.lifted"),
    "POST sweep": Case("platform.swept", body={"reason": WHY}),
    "GET sweep": Case(None),
    "POST platform/check": Case("platform.checked"),
    "POST livekit/webhook": Case(None, HEARD, TOLD),
    "POST agent/registrations/{id}/jobs": Case("session.job_ended", AGENT, FAILED),
    "GET health/live": Case(None),
    "GET health/ready": Case(None),
    "GET openapi.json": Case(None),
}

OTHERWISE = {
    "agent.claimed": ("POST agent/register", Case(None, AGENT, {"agent_name": "newcomer"})),
    "agent.assigned": ("PUT agents/{name}", Case(None, body={"beat_id": "BEAT-1"}, headers={})),
    "revocation.changed": (
        "POST revocations",
        Case(None, body={"client_app_id": guid("app blocked"), "reason": WHY}),
    ),
}
"""How an operation of CASES leaves another row of success: the agent `newcomer` is not there."""

ELSEWHERE = {
    "session.abandoned": "tests/unit/test_undoing.py",
    "session.dispatched": "tests/unit/sessions/test_watching.py",
    "session.room_removed": "tests/unit/sweep/test_sweep.py",
    "agent.lapsed": "tests/unit/sweep/test_sweep.py",
    "revocation.expired": "tests/unit/sweep/test_sweep.py",
    "session.agent_removed": "tests/unit/sessions/test_watching.py",
    "audit.expired": "tests/unit/auditing/test_holds.py",
    "request.refused": "tests/unit/test_refusal_log.py",
}
"""Actions that are no operation's success, and the tests that look for their rows."""

EXEMPT = exempt_routes()
"""By route, when it leaves no row on success: what docs/audit.md says."""

ALWAYS, SAME, YOUNG = "always", "when nothing changes", "without a new token"
"""The occasions, each with a test below."""


def described() -> dict[str, dict[str, Any]]:
    paths = description("https://gateway.example/lkps")["paths"]
    return {
        f"{method.upper()} {path.removeprefix('/')}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


OPERATIONS = described()
WITH_CALLER = [route for route in OPERATIONS if OPERATIONS[route].get("security") != []]


@dataclass
class There:
    """One of each thing that has an address, by the part of the path before its id."""

    lkps: Lkps
    ids: dict[str, str]

    async def send(self, route: str, case: Case, *, by: str | None = None) -> Answered:
        method, path = route.split()
        address = re.sub(r"(\w+)/\{\w+\}", lambda one: f"{one[1]}/{self.ids[one[1]]}", path)
        body = case.body
        if isinstance(body, dict) and "session_id" in body:
            body = {**body, "session_id": self.ids["session"]}
        return await self.lkps.send(
            method, address + case.query, body, by=by or case.by, headers=case.headers
        )

    async def rows_after(self, before: int) -> list[dict[str, Any]]:
        await self.lkps.services.close()
        return self.lkps.rows[before:]


@pytest.fixture
async def there(lkps: Lkps) -> There:
    registration = (await lkps.register())["registration_id"]
    grant = await _made(lkps, "agents/concierge/grants", client_app_id=guid("app client"))
    session = (await lkps.start()).json["session_id"]
    await lkps.send("GET", f"session/{session}", by=CLIENT)  # its agent is seen
    block = await _made(lkps, "revocations", client_app_id=guid("app blocked"))
    hold = await _made(lkps, "audit/holds", subject="agent:concierge")
    await lkps.services.indexing.run()
    ids = {"registrations": registration, "agents": "concierge", "grants": grant["grant_id"]}
    others = {"session": session, "revocations": block["revocation_id"], "holds": hold["id"]}
    return There(lkps, ids | others)


async def _made(lkps: Lkps, path: str, **members: object) -> dict[str, Any]:
    answer = await lkps.send("POST", path, {**members, "reason": WHY}, by=ADMIN)
    assert answer.status == 201, answer.raw
    return answer.json


def test_every_operation_of_the_api_has_its_case() -> None:
    missing, gone = OPERATIONS.keys() - CASES.keys(), CASES.keys() - OPERATIONS.keys()
    assert not missing, (
        f"nobody wrote how {sorted(missing)} succeed. Add to CASES, for each, the action of the row"
        " that a success leaves, who calls and with which body. When it leaves none: None, and a"
        " line with the reason in the table of docs/audit.md, what leaves no row. What an address"
        " names must be there: see the fixture `there`."
    )
    assert not gone, f"no operation of the API any more: {sorted(gone)}"


def test_what_leaves_no_row_is_what_the_guide_exempts() -> None:
    without = {route for route, case in CASES.items() if case.action is None}
    assert {route for route, when in EXEMPT.items() if when == ALWAYS} == without
    assert EXEMPT.keys() <= CASES.keys()
    assert set(EXEMPT.values()) == {ALWAYS, SAME, YOUNG}


def test_every_action_has_a_test_that_looks_for_its_row() -> None:
    here = {case.action for case in CASES.values() if case.action} | OTHERWISE.keys()
    missing = set(get_args(Action.__value__)) - here - ELSEWHERE.keys()
    assert not missing, f"add {sorted(missing)} to CASES, OTHERWISE or ELSEWHERE"
    assert not here & ELSEWHERE.keys()
    assert [
        action
        for action, path in ELSEWHERE.items()
        if f'"{action}"' not in (ROOT / path).read_text()
    ] == []


@pytest.mark.parametrize("action", OTHERWISE)
async def test_what_succeeds_in_another_way_leaves_the_row_of_that(
    there: There, action: str
) -> None:
    route, case = OTHERWISE[action]
    there.ids["agents"] = "newcomer"
    before = len(there.lkps.rows)
    answer = await there.send(route, case)
    assert answer.status in (200, 201), answer.raw
    rows = [row for row in await there.rows_after(before) if row["action"] == action]
    assert [(row["outcome"], row["operation"], row["request_id"]) for row in rows] == [
        ("success", OPERATIONS[route]["operationId"], answer.headers["X-Request-ID"])
    ]


@pytest.mark.parametrize(
    "route", [route for route, case in CASES.items() if case.action and route not in EXEMPT]
)
async def test_a_success_that_is_repeated_leaves_a_row_unless_the_guide_exempts_it(
    there: There, route: str
) -> None:
    await there.send(route, CASES[route])
    before = len(there.lkps.rows)
    again = await there.send(route, CASES[route])
    rows = await there.rows_after(before)
    assert {row["request_id"] for row in rows} == {again.headers["X-Request-ID"]}


@pytest.mark.parametrize("route", [route for route, case in CASES.items() if case.action])
async def test_a_success_leaves_its_row_and_each_token_in_it_the_tokens_hash(
    there: There, route: str
) -> None:
    case, before = CASES[route], len(there.lkps.rows)
    answer = await there.send(route, case)
    assert answer.status in (200, 201, 204), answer.raw
    rows = await there.rows_after(before)
    of_it = [row for row in rows if (row["action"], row["outcome"]) == (case.action, "success")]
    assert of_it, f"{route} left {[row['action'] for row in rows]}"
    assert {row["operation"] for row in of_it} == {OPERATIONS[route]["operationId"]}
    assert {row["request_id"] for row in of_it} == {answer.headers["X-Request-ID"]}
    assert {row["token_sha256"] for row in of_it if "token_sha256" in row} == hashes_of_tokens(
        answer
    )


@pytest.mark.parametrize("route", [route for route, case in CASES.items() if case.action is None])
async def test_what_leaves_no_row_changes_nothing_and_gives_no_token(
    there: There, route: str
) -> None:
    before, held = len(there.lkps.rows), contents(there.lkps)
    answer = await there.send(route, CASES[route])
    assert answer.status == 200, answer.raw
    assert await there.rows_after(before) == []
    assert contents(there.lkps) == held
    assert not hashes_of_tokens(answer)


@pytest.mark.parametrize("route", [one for one in WITH_CALLER if one in CASES])
async def test_a_refusal_of_a_known_caller_leaves_its_row(there: There, route: str) -> None:
    before = len(there.lkps.rows)
    answer = await there.send(route, CASES[route], by=NOBODY)
    (row,) = await there.rows_after(before)
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")
    assert (row["action"], row["outcome"]) == ("request.refused", "refused")
    assert row["rule"] == row["reason"] == "permission_lacking"
    assert row["operation"] == OPERATIONS[route]["operationId"]
    assert (row["oid"], row["azp"]) == (guid("sp nobody"), guid("app nobody"))
    assert row["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("route", [route for route, case in CASES.items() if case.action])
@pytest.mark.usefixtures("impatient")
async def test_what_cannot_be_recorded_does_not_succeed(there: There, route: str) -> None:
    there.lkps.trail.down = True
    answer = await there.send(route, CASES[route])
    assert answer.status == 503, answer.raw
    assert not hashes_of_tokens(answer)


async def test_a_heartbeat_leaves_no_row_while_its_token_is_young(there: There) -> None:
    (route,) = [one for one in EXEMPT if EXEMPT[one] == YOUNG]
    body = {"token_expires_at": LATER, "routing_version": 1}
    before = len(there.lkps.rows)
    answer = await there.send(route, Case(None, AGENT, body))
    assert (answer.status, "token" in answer.json) == (200, False)
    assert await there.rows_after(before) == []


@pytest.mark.parametrize("route", [one for one in EXEMPT if EXEMPT[one] == SAME])
async def test_what_is_so_already_leaves_no_row(there: There, route: str) -> None:
    case = CASES[route]
    await there.send(route, case)
    before, held = len(there.lkps.rows), contents(there.lkps)
    again = await there.send(route, case)
    assert again.status in (200, 204), again.raw
    assert await there.rows_after(before) == []
    assert contents(there.lkps) == held


def hashes_of_tokens(answer: Answered) -> set[str]:
    """Of the LiveKit tokens in the answer."""
    return {
        sha256(one).hexdigest() for one in re.findall(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+", answer.raw)
    }


def contents(lkps: Lkps) -> list[dict[Any, Any]]:
    """What all tables but the trail's hold, without their versions."""
    return [{place: stored.row for place, stored in table._rows.items()} for table in lkps.tables]
