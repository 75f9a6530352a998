"""Questions to the trail, answered alike whether or not the index has the rows already."""

from collections import Counter

import pytest

from lkps_core.auditing import asking
from tests.builders.lkps import (
    ADMIN,
    AGENT,
    AUDITOR,
    CLIENT,
    MANAGER,
    OTHER_CLIENT,
    Lkps,
    app,
    guid,
    user,
)
from tests.unit.auditing.arranging import OWNER, asked

ALICE = user("alice", "Session.Start")


@pytest.fixture(params=["indexed", "not indexed", "half indexed"])
async def lived(request: pytest.FixtureRequest, lkps: Lkps) -> Lkps:
    """Two agents, three callers, a change of a grant, a refusal."""
    await lkps.register("concierge")
    await lkps.register("pharmacist")
    await lkps.assign({"runners": [], "owners": [OWNER]})
    await lkps.start("concierge", by=CLIENT)
    if request.param == "half indexed":
        await lkps.services.indexing.run()
    lkps.clock.pass_by(3600)
    await lkps.start("concierge", by=OTHER_CLIENT)
    await lkps.start("concierge", by=ALICE)
    await lkps.start("pharmacist", by=CLIENT)
    await lkps.start("nobody", by=CLIENT)
    body = {"client_app_id": guid("app client"), "reason": "asked"}
    made = await lkps.send("POST", "agents/concierge/grants", body, by=MANAGER)
    assert made.status == 201, made.raw
    path = f"agents/concierge/grants/{made.json['grant_id']}"
    etag = {"if-match": made.headers["ETag"]}
    changed = await lkps.send("PATCH", path, {"max_sessions": 3}, by=MANAGER, headers=etag)
    assert changed.status == 200, changed.raw
    if request.param == "indexed":
        await lkps.services.indexing.run()
    return lkps


async def test_everything_is_told_in_the_order_of_time(lived: Lkps) -> None:
    rows = await asked(lived)
    told = [row for row in lived.rows if row["action"] != "audit.read"]
    assert Counter(row["action"] for row in rows) == Counter(row["action"] for row in told)
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)


async def test_everything_that_happened_to_a_session(lived: Lkps) -> None:
    started = await lived.start("concierge", by=CLIENT)
    session_id = started.json["session_id"]
    await lived.send("POST", f"session/{session_id}/end", by=CLIENT)
    rows = await asked(lived, f"session_id={session_id}")
    assert [row["action"] for row in rows] == ["session.authorized", "session.ended"]


async def test_every_session_of_an_agent_in_a_period(lived: Lkps) -> None:
    rows = await asked(lived, "agent_name=concierge&action=session.authorized")
    assert [row["azp"] for row in rows] == [
        guid("app client"),
        guid("app other client"),
        guid("app cli"),
    ]
    split = rows[1]["at"]
    early = await asked(lived, f"agent_name=concierge&action=session.*&to={split}")
    late = await asked(lived, f"agent_name=concierge&action=session.*&from={split}")
    assert [early, late] == [rows[:1], rows[1:]]


async def test_everything_an_application_did_or_tried(lived: Lkps) -> None:
    rows = await asked(lived, f"client_app_id={guid('app client')}")
    assert [(row["action"], row["outcome"]) for row in rows] == [
        ("session.authorized", "success"),
        ("session.authorized", "success"),
        ("request.refused", "refused"),
    ]


async def test_who_changed_the_grants_of_an_agent_and_what_they_were(lived: Lkps) -> None:
    grant_id = (await asked(lived, "action=grant.created"))[0]["grant_id"]
    path = f"agents/concierge/grants/{grant_id}"
    body, etag = {"max_sessions": 5}, {"if-match": "*"}
    assert (await lived.send("PATCH", path, body, by=MANAGER, headers=etag)).status == 200
    rows = await asked(lived, "agent_name=concierge&action=grant.*")
    assert {row["oid"] for row in rows} == {OWNER["oid"]}
    assert [(row.get("before"), row["after"].get("max_sessions")) for row in rows] == [
        (None, None),
        (None, 3),
        ({"max_sessions": 3}, 5),
    ]


async def test_all_refusals_by_their_reason(lived: Lkps) -> None:
    (refused,) = await asked(lived, "outcome=refused")
    assert (refused["agent_name"], refused["rule"]) == ("nobody", "agent_not_callable")
    assert await asked(lived, f"outcome=refused&reason={refused['reason']}") == [refused]
    assert await asked(lived, "outcome=refused&reason=another") == []


async def test_several_conditions_hold_together(lived: Lkps) -> None:
    alice = guid("user alice")
    query = f"agent_name=concierge&user_oid={alice}&client_app_id={guid('app cli')}"
    (row,) = await asked(lived, f"{query}&outcome=success&action=session.authorized")
    assert row["oid"] == alice
    assert await asked(lived, f"{query}&outcome=failed") == []
    assert await asked(lived, f"user_oid={alice}&agent_name=pharmacist") == []


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_are_the_same_rows(lived: Lkps, limit: int) -> None:
    query = "agent_name=concierge"
    assert await asked(lived, f"{query}&limit={limit}") == await asked(lived, query)


async def test_rows_of_every_process_are_found(lived: Lkps) -> None:
    other = lived.another_process()
    await other.start("concierge", by=CLIENT)
    assert len(await asked(lived, "agent_name=concierge&action=session.*")) == 4


async def test_who_read_the_trail_and_what_they_asked_is_on_it(lived: Lkps) -> None:
    lived.clock.pass_by(1)
    await lived.send("GET", "audit?agent_name=concierge&limit=2", by=AUDITOR)
    lived.clock.pass_by(1)
    answer = await lived.send("GET", "audit?action=audit.read", by=AUDITOR)
    (row,) = answer.json["rows"]
    assert row["azp"] == guid("app auditor")
    assert row["after"] == {"question": {"agent_name": "concierge"}, "rows": 2}


# Who may see what


async def test_an_owner_sees_the_rows_of_the_own_agent(lived: Lkps) -> None:
    rows = await asked(lived, "agent_name=concierge", by=MANAGER)
    assert rows == await asked(lived, "agent_name=concierge")


@pytest.mark.parametrize("query", ["agent_name=pharmacist", "agent_name=nobody"])
async def test_of_another_agent_an_owner_sees_what_is_their_own(lived: Lkps, query: str) -> None:
    assert await asked(lived, query, by=MANAGER) == []


async def test_everyone_else_sees_what_they_did_themselves(lived: Lkps) -> None:
    for by, oid in ((CLIENT, guid("sp client")), (ALICE, guid("user alice"))):
        rows = await asked(lived, by=by)
        assert {row["oid"] for row in rows} == {oid}


async def test_an_agent_sees_its_registrations(lived: Lkps) -> None:
    assert {row["action"] for row in await asked(lived, by=AGENT)} >= {"agent.registered"}


async def test_the_rows_of_someone_else_are_refused(lived: Lkps) -> None:
    answer = await lived.send("GET", f"audit?user_oid={guid('user alice')}", by=CLIENT)
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")


async def test_who_administers_does_not_audit(lived: Lkps) -> None:
    assert {row["oid"] for row in await asked(lived, by=ADMIN)} == {guid("sp admin")}


async def test_a_caller_asks_so_often_and_no_more(lkps: Lkps) -> None:
    answers = [await lkps.send("GET", "audit?limit=1", by=CLIENT) for _ in range(601)]
    assert [answer.status for answer in answers[-2:]] == [200, 429]


# What it costs


async def test_a_page_reads_no_more_than_its_budget_however_long_the_trail(lkps: Lkps) -> None:
    """Of an agent without conditions: a page of each family's partition, and nothing else."""
    await lkps.register("concierge")
    for _ in range(60):
        await lkps.start("concierge", by=CLIENT)
        lkps.clock.pass_by(30)
    await lkps.services.indexing.run()
    lkps.clock.pass_by(3 * 24 * 3600)
    lkps.index.calls.clear()
    answer = await lkps.send("GET", "audit?agent_name=concierge&limit=10", by=AUDITOR)
    assert len(answer.json["rows"]) == 10
    assert len(lkps.index.calls) == 5
    assert lkps.index.entries_read <= 5 * 10


async def test_conditions_that_leave_rows_out_do_not_make_a_page_dearer(lkps: Lkps) -> None:
    await lkps.register("concierge")
    for _ in range(20):
        await lkps.start("concierge", by=app("busy", "LKPS.Client"))
    await lkps.start("concierge", by=CLIENT)
    await lkps.services.indexing.run()
    lkps.index.calls.clear()
    lkps.clock.pass_by(1)
    query = f"agent_name=concierge&client_app_id={guid('app client')}&action=session.authorized"
    answer = await lkps.send("GET", f"audit?{query}&outcome=success&limit=2", by=AUDITOR)
    assert len(lkps.index.calls) == asking.ROUNDS
    assert (answer.json["rows"], "next" in answer.json) == ([], True)
    assert len(await asked(lkps, f"{query}&limit=2")) == 1


async def test_when_rows_are_too_many_for_one_reading_the_answer_says_until_when_it_is_complete(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_NEW", 4)
    monkeypatch.setattr(asking, "LEAST", 4)
    await lkps.register("concierge")
    for _ in range(6):
        await lkps.start("concierge", by=CLIENT)
        lkps.clock.pass_by(120)
    answer = await lkps.send("GET", "audit", by=AUDITOR)
    assert len(answer.json["rows"]) == 4
    assert answer.json["complete_until"] == answer.json["rows"][-1]["at"]
    await lkps.services.indexing.run()
    assert len(await asked(lkps)) == 8


@pytest.mark.parametrize(
    "query",
    [
        "agent_name=Concierge",
        "client_app_id=client",
        "user_oid=ALICE",
        "session_id=x",
        "action=session",
        "action=*",
        "outcome=maybe",
        "from=today",
        "to=2026-01-01",
        "limit=0",
        "limit=1001",
        "limit=ten",
        "after=a%20b",
        "agent=concierge",
    ],
)
async def test_a_condition_that_is_none_is_refused(lkps: Lkps, query: str) -> None:
    answer = await lkps.send("GET", f"audit?{query}", by=AUDITOR)
    assert (answer.status, answer.json["code"]) == (400, "query_invalid")
