"""The kill switch: what a block ends, refuses and cannot reach, and how it is lifted."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from lkps_core.api.operations import OPERATIONS, Operation
from lkps_core.governance import clearing
from lkps_core.policy.model import Revocation
from lkps_core.ports import Room
from lkps_core.sessions.model import Session
from tests.builders.conditions import until
from tests.builders.lkps import ADMIN, AGENT, CLIENT, Answered, Lkps, app, guid, user
from tests.builders.stepping import (
    SteppingRooms,
    SteppingRows,
    SteppingSessions,
    SteppingTrail,
    Stop,
)
from tests.builders.tokens import NOW, TENANT
from tests.unit.governance.arranging import (
    ADA,
    CRM,
    CRM_ID,
    OLGA,
    OWNER,
    block,
    governed,
    outcome,
    person,
    refused,
    shown,
)

ANN = person("ann")
BOB = person("bob")
ANN_ELSEWHERE = person("ann", through="another app")
SUBJECTS: dict[str, dict[str, Any]] = {
    "agent": {"agent_name": "concierge"},
    "application": {"client_app_id": CRM_ID},
    "user": {"user_oid": guid("user ann")},
}
IDS = {
    "agent": "agent:concierge",
    "application": f"application:{TENANT}:{CRM_ID}",
    "user": f"user:{TENANT}:{guid('user ann')}",
}
CALLERS = {"crm": CRM, "ann": ANN, "bob": BOB, "ann elsewhere": ANN_ELSEWHERE, "client": CLIENT}
CONCERNED = {
    "agent": {"crm", "ann", "bob", "ann elsewhere", "client"},
    "application": {"crm", "ann", "bob"},
    "user": {"ann", "ann elsewhere"},
}
REFUSED_WITH = {
    "agent": "agent_not_callable",
    "application": "caller_blocked",
    "user": "caller_blocked",
}
UNKNOWN_SESSION = "concierge--" + "a" * 26


def later(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


@pytest.fixture
async def lkps() -> Lkps:
    return await governed(access_mode="open")


@pytest.fixture
def promptly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after 9 s comes as soon as it is let."""
    monkeypatch.setattr(clearing, "AGAIN_AFTER", 0.0)


async def lift(lkps: Lkps, revocation_id: str, *, by: str = ADA) -> Answered:
    return await lkps.send("DELETE", f"revocations/{revocation_id}", by=by)


async def started(lkps: Lkps, by: str = CRM, name: str = "concierge") -> str:
    answer = await lkps.start(name, by=by)
    assert answer.status == 200, answer.raw
    session_id: str = answer.json["session_id"]
    return session_id


def rows(lkps: Lkps) -> dict[str, Session]:
    return {stored.row.id: stored.row for stored in lkps.sessions._rows.values()}


def standing(lkps: Lkps) -> set[str]:
    """The sessions whose rooms there are."""
    return {name.removeprefix("test--") for name in lkps.rooms.rooms}


def ended(lkps: Lkps) -> dict[str, dict[str, Any]]:
    """The rows of sessions that ended, by session, each of which has one."""
    found = [row for row in lkps.rows if row["action"] == "session.ended"]
    assert len({row["session_id"] for row in found}) == len(found)
    return {row["session_id"]: row for row in found}


def is_settled() -> bool:
    """Whether no second look is to come or under way."""
    return not any(task.get_name() == "late undoing" for task in asyncio.all_tasks())


async def let_pass(second_look: Stop) -> None:
    """Until it is over."""
    await second_look.reached.wait()
    assert not is_settled()
    second_look.release()
    await until(is_settled)


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_a_block_ends_the_live_sessions_that_it_concerns_and_no_others(
    lkps: Lkps, kind: str
) -> None:
    await lkps.assign({"access_mode": "open"}, "other")
    sessions = {await started(lkps, by): name for name, by in CALLERS.items()}
    untouched = await started(lkps, CLIENT, "other")
    answer = await block(lkps, **SUBJECTS[kind])
    concerned = {one for one, name in sessions.items() if name in CONCERNED[kind]}
    assert answer.status == 201
    many = len(concerned)
    assert (answer.json["sessions_found"], answer.json["sessions_ended"]) == (many, many)
    assert standing(lkps) == sessions.keys() - concerned | {untouched}
    blocked = {one.id for one in rows(lkps).values() if one.cause == "blocked"}
    assert blocked == {one.id for one in rows(lkps).values() if one.state == "ended"} == concerned


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_a_session_that_a_block_ended_is_on_the_trail_and_tells_its_starter(
    lkps: Lkps, kind: str
) -> None:
    session_id = await started(lkps, ANN)
    await block(lkps, **SUBJECTS[kind])
    row = ended(lkps)[session_id]
    assert (row["reason"], row["rule"], row["oid"]) == ("blocked", "block", guid("user ada"))
    assert (row["agent_name"], row["room_name"]) == ("concierge", f"test--{session_id}")
    await lift(lkps, IDS[kind])
    answer = await lkps.send("GET", f"session/{session_id}", by=ANN)
    assert (answer.json["state"], answer.json["cause"]) == ("ended", "blocked")


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_new_starts_are_refused_at_once_and_elsewhere_within_five_seconds(
    lkps: Lkps, kind: str
) -> None:
    elsewhere = lkps.another_process()
    for by in CALLERS.values():
        assert (await outcome(lkps, by), await outcome(elsewhere, by)) == (200, 200)
    await block(lkps, **SUBJECTS[kind])
    lkps.clock.pass_by(4.9)
    assert await outcome(lkps, ANN) == REFUSED_WITH[kind]
    lkps.clock.pass_by(0.1)
    for process in (lkps, elsewhere, elsewhere.another_process()):
        for name, by in CALLERS.items():
            expected = REFUSED_WITH[kind] if name in CONCERNED[kind] else 200
            assert await outcome(process, by) == expected


def every_look(revocations: SteppingRows[Revocation]) -> list[Stop]:
    """Each time that sessions are ended again waits."""
    return [revocations.steps.stop("page", "before") for _ in range(clearing.TIMES)]


async def let_all_pass(looks: list[Stop]) -> None:
    """One after the other, until all are over."""
    for look in looks:
        await look.reached.wait()
    assert not is_settled()
    for look in looks:
        look.release()
    await until(is_settled)


def last_look(revocations: SteppingRows[Revocation]) -> Stop:
    """The last time that sessions are ended again waits; each time begins with a reading."""
    for _ in range(clearing.TIMES - 1):
        revocations.steps.once("page", "before", nothing)
    return revocations.steps.stop("page", "before")


@pytest.mark.usefixtures("promptly")
@pytest.mark.parametrize("at", ["row", "room", "trail"])
@pytest.mark.parametrize("kind", SUBJECTS)
async def test_a_start_that_was_decided_just_before_does_not_survive(
    lkps: Lkps, kind: str, at: str
) -> None:
    """It waits between its decision and one of its effects, until all looks but one are over."""
    sessions, rooms = SteppingSessions(lkps.sessions), SteppingRooms(lkps.rooms)
    trail, revocations = SteppingTrail(lkps.trail), SteppingRows(lkps.revocations)
    effects = {
        "row": (sessions.steps, "add"),
        "room": (rooms.steps, "create"),
        "trail": (trail.steps, "append"),
    }
    starting_process = replace(lkps, sessions=sessions, rooms=rooms, trail=trail, seed=3)
    blocking_process = replace(lkps, revocations=revocations, seed=5)
    await blocking_process.send("GET", "whoami", by=ADA)
    steps, call = effects[at]
    under_way, last = steps.stop(call, "before"), last_look(revocations)

    starting = asyncio.create_task(starting_process.start(by=ANN))
    await under_way.reached.wait()
    assert (await block(blocking_process, **SUBJECTS[kind])).status == 201
    await last.reached.wait()
    under_way.release()
    answer = await starting
    assert (answer.status, len(lkps.rooms.rooms)) == (200, 0 if at == "trail" else 1)

    await let_pass(last)
    assert standing(lkps) == set()
    assert {row.cause for row in rows(lkps).values()} == {"blocked"}
    assert ended(lkps).keys() == {answer.json["session_id"]}


@pytest.mark.usefixtures("promptly")
async def test_whoever_was_let_in_after_a_block_was_lifted_stays(lkps: Lkps) -> None:
    revocations = SteppingRows(lkps.revocations)
    process = replace(lkps, revocations=revocations, seed=5)
    await process.send("GET", "whoami", by=ADA)
    second_look = revocations.steps.stop("page", "before")
    await block(process, agent_name="concierge")
    await second_look.reached.wait()
    assert (await lift(process, IDS["agent"])).status == 204
    session_id = await started(process)
    await let_pass(second_look)
    assert standing(lkps) == {session_id}
    assert rows(lkps)[session_id].state == "open"


@pytest.mark.usefixtures("promptly")
async def test_whoever_was_let_in_after_a_block_ended_by_itself_stays(lkps: Lkps) -> None:
    revocations = SteppingRows(lkps.revocations)
    process = replace(lkps, revocations=revocations, seed=5)
    await process.send("GET", "whoami", by=ADA)
    second_look = revocations.steps.stop("page", "before")
    await block(process, agent_name="concierge", until=later(5))
    await second_look.reached.wait()
    lkps.clock.pass_by(5)
    session_id = await started(lkps.another_process())
    await let_pass(second_look)
    assert standing(lkps) == {session_id}


@pytest.mark.usefixtures("promptly", "impatient")
async def test_while_livekit_is_down_the_block_stands_and_sessions_end_once_it_is_back(
    lkps: Lkps,
) -> None:
    sessions = {await started(lkps, by) for by in CALLERS.values()}
    lkps.rooms.down = True
    answer = await block(lkps, agent_name="concierge")
    assert (answer.status, answer.json["sessions_found"]) == (201, 5)
    assert answer.json["sessions_ended"] == 0
    assert await outcome(lkps, CRM) == "agent_not_callable"
    lkps.rooms.down = False
    await until(is_settled)
    assert standing(lkps) == set()
    assert ended(lkps).keys() == sessions


@pytest.mark.usefixtures("promptly", "impatient")
async def test_sessions_that_could_not_be_found_are_ended_once_they_can(lkps: Lkps) -> None:
    session_id = await started(lkps)
    lkps.sessions.down = True
    answer = await block(lkps, agent_name="concierge")
    assert refused(answer) == (503, "storage_unavailable")
    lkps.sessions.down = False
    await until(is_settled)
    assert (standing(lkps), set(ended(lkps))) == (set(), {session_id})
    assert (await shown(lkps))["blocked"] is True


@pytest.mark.usefixtures("promptly", "impatient")
async def test_a_room_that_came_late_and_cannot_be_ended_yet_is_ended_once_it_can(
    lkps: Lkps,
) -> None:
    starting_rooms, rooms = SteppingRooms(lkps.rooms), SteppingRooms(lkps.rooms)
    revocations = SteppingRows(lkps.revocations)
    starting_process = replace(lkps, rooms=starting_rooms, seed=3)
    blocking_process = replace(lkps, rooms=rooms, revocations=revocations, seed=5)
    await blocking_process.send("GET", "whoami", by=ADA)
    under_way, last = starting_rooms.steps.stop("create", "before"), last_look(revocations)
    starting = asyncio.create_task(starting_process.start(by=ANN))
    await under_way.reached.wait()
    await block(blocking_process, agent_name="concierge")
    await last.reached.wait()
    under_way.release()
    assert (await starting).status == 200
    rooms.refuse("delete")
    await let_pass(last)
    assert standing(lkps) == set()


@pytest.mark.usefixtures("promptly")
async def test_one_session_that_cannot_end_holds_up_no_other(lkps: Lkps) -> None:
    sessions = {await started(lkps, by) for by in CALLERS.values()}
    table, revocations = SteppingSessions(lkps.sessions), SteppingRows(lkps.revocations)
    process = replace(lkps, sessions=table, revocations=revocations, seed=5)
    await process.send("GET", "whoami", by=ADA)
    looks = every_look(revocations)
    table.refuse("replace")
    answer = await block(process, agent_name="concierge")
    assert (answer.json["sessions_found"], answer.json["sessions_ended"]) == (5, 4)
    assert (standing(lkps), len(ended(lkps))) == (set(), 4)
    await let_all_pass(looks)
    assert (standing(lkps), set(ended(lkps))) == (set(), sessions)


@pytest.mark.usefixtures("promptly")
async def test_a_session_whose_end_stopped_half_way_is_ended_by_the_second_look(
    lkps: Lkps,
) -> None:
    session_id = await started(lkps)
    rooms, revocations = SteppingRooms(lkps.rooms), SteppingRows(lkps.revocations)
    process = replace(lkps, rooms=rooms, revocations=revocations, seed=5)
    await process.send("GET", "whoami", by=ADA)
    looks = every_look(revocations)
    rooms.steps.once("delete", "before", nothing)
    rooms.refuse("delete")
    answer = await block(process, agent_name="concierge")
    assert (answer.json["sessions_found"], answer.json["sessions_ended"]) == (1, 0)
    assert rows(lkps)[session_id].state == "ending"
    await let_all_pass(looks)
    assert rows(lkps)[session_id].state == "ended"
    assert ended(lkps).keys() == {session_id}


async def nothing() -> None:
    return


async def test_a_session_that_its_starter_ends_in_the_same_moment_is_over_all_the_same(
    lkps: Lkps,
) -> None:
    session_id = await started(lkps)
    sessions = SteppingSessions(lkps.sessions)
    stop = sessions.steps.stop("replace", "before")
    blocking = asyncio.create_task(
        block(replace(lkps, sessions=sessions, seed=5), agent_name="concierge")
    )
    await stop.reached.wait()
    await lkps.send("POST", f"session/{session_id}/end", by=CRM)
    stop.release()
    answer = await blocking
    assert (answer.status, answer.json["sessions_ended"]) == (201, 1)
    assert (rows(lkps)[session_id].cause, standing(lkps)) == ("ended_by_starter", set())


async def test_many_sessions_end_with_one_call(lkps: Lkps) -> None:
    sessions = {await started(lkps, CLIENT) for _ in range(150)}
    answer = await block(lkps, client_app_id=guid("app client"))
    assert answer.json["sessions_ended"] == 150
    assert (standing(lkps), set(ended(lkps))) == (set(), sessions)


async def test_one_session_is_blocked_and_no_other(lkps: Lkps) -> None:
    blocked = (await lkps.start(by=CRM, key="one")).json["session_id"]
    other = await started(lkps)
    answer = await block(lkps, session_id=blocked)
    assert (answer.json["revocation_id"], answer.json["kind"]) == (f"session:{blocked}", "session")
    assert (answer.json["sessions_found"], answer.json["sessions_ended"]) == (1, 1)
    assert answer.json["beyond_reach"] == []
    assert standing(lkps) == {other}
    again = await lkps.start(by=CRM, key="one")
    assert refused(again) == (409, "session_ended")
    assert (await lkps.start(by=CRM, key="two")).status == 200
    assert lkps.rows[-1]["action"] == "session.authorized"


async def test_a_session_that_is_over_can_be_blocked_and_changes_nothing(lkps: Lkps) -> None:
    session_id = await started(lkps)
    await lkps.send("POST", f"session/{session_id}/end", by=CRM)
    for one in (session_id, UNKNOWN_SESSION):
        answer = await block(lkps, session_id=one)
        assert (answer.status, answer.json["sessions_found"]) == (201, 0)
    assert rows(lkps)[session_id].cause == "ended_by_starter"


async def test_a_blocked_agent_neither_registers_nor_renews(lkps: Lkps) -> None:
    elsewhere = lkps.another_process()
    held = await elsewhere.register()
    path = f"agent/registrations/{held['registration_id']}"
    renewal = {"token_expires_at": held["expires_at"], "routing_version": 1}
    await block(lkps, agent_name="concierge")
    lkps.clock.pass_by(5)
    for process in (lkps, elsewhere):
        register = await process.send(
            "POST", "agent/register", {"agent_name": "concierge"}, by=AGENT
        )
        assert refused(register) == (403, "agent_blocked")
        renew = await process.send("POST", f"{path}/renew", renewal, by=AGENT)
        assert refused(renew) == (403, "agent_blocked")
    lkps.clock.pass_by(175)
    assert (await shown(lkps))["instances"] == []
    await lift(lkps, IDS["agent"])
    assert (await lkps.send("POST", f"{path}/renew", renewal, by=AGENT)).status == 200


async def test_a_blocked_agent_can_still_go(lkps: Lkps) -> None:
    held = await lkps.register()
    await block(lkps, agent_name="concierge")
    path = f"agent/registrations/{held['registration_id']}"
    assert (await lkps.send("DELETE", path, by=AGENT)).status == 204


async def test_a_blocked_agent_is_dispatched_to_nobody_even_in_report_only() -> None:
    lkps = await governed(access_mode="open", report_only=True)
    await block(lkps, agent_name="concierge")
    assert await outcome(lkps, CRM) == "agent_not_callable"
    assert lkps.rows[-1]["reason"] == "agent_blocked"
    assert standing(lkps) == set()


async def test_a_blocked_name_cannot_be_claimed() -> None:
    lkps = Lkps()
    assert (await block(lkps, agent_name="unheard-of")).status == 201
    answer = await lkps.send("POST", "agent/register", {"agent_name": "unheard-of"}, by=AGENT)
    assert refused(answer) == (403, "agent_blocked")


async def test_owners_see_that_their_agent_is_blocked_and_go_on_managing_it(lkps: Lkps) -> None:
    await block(lkps, agent_name="concierge")
    answer = await lkps.send("GET", "agents/concierge", by=OLGA)
    assert (answer.status, answer.json["blocked"]) == (200, True)
    answer = await lkps.send(
        "PATCH", "agents/concierge", {"max_sessions": 7}, by=OLGA, headers={"if-match": "*"}
    )
    assert (answer.status, answer.json["blocked"]) == (200, True)


@dataclass(frozen=True)
class Villain:
    """Somebody who may do everything, until they are blocked."""

    by: str
    blocked: dict[str, Any]
    rule: str


ROLES = ("LKPS.Agent", "LKPS.Client", "LKPS.Manage", "LKPS.Admin", "LKPS.Auditor")
SCOPES = ("Session.Start", "Agent.Register", "Agent.Manage", "Platform.Admin", "Audit.Read")
VILLAINS = {
    "application": Villain(
        app("villain", *ROLES), {"client_app_id": guid("app villain")}, "application_blocked"
    ),
    "user": Villain(
        user("villain", *SCOPES, roles=("LKPS.Admin", "LKPS.Auditor")),
        {"user_oid": guid("user villain")},
        "user_blocked",
    ),
    "user of a blocked application": Villain(
        user("villain", *SCOPES, roles=("LKPS.Admin", "LKPS.Auditor"), through="villain"),
        {"client_app_id": guid("app villain")},
        "application_blocked",
    ),
}
BODIES: dict[str, Any] = {
    "agent_register": {"agent_name": "concierge"},
    "agent_renew": {"token_expires_at": later(60), "routing_version": 1},
    "agent_rotate": {"reason": "a test"},
    "agent_job_report": {
        "session_id": UNKNOWN_SESSION,
        "participant_identity": "agent-AJ_1",
        "outcome": "failed",
    },
    "sweep_run": {"dry_run": True},
    "grant_create": {"client_app_id": CRM_ID, "reason": "a test"},
    "session_start": {"agent_name": "concierge"},
    "authorization_check": {"agent_name": "concierge"},
    "revocation_create": {"agent_name": "other", "reason": "a test"},
    "audit_reindex": {"from": "2026-01-01", "to": "2026-01-02", "reason": "a test"},
    "hold_place": {"subject": "agent:concierge", "reason": "a test"},
}


async def ask(lkps: Lkps, operation: Operation, by: str) -> Answered:
    path = operation.path.replace("{name}", "concierge").replace("{grant_id}", "one")
    path = path.replace("{id}", UNKNOWN_SESSION)
    body = BODIES.get(operation.name, {}) if operation.body else None
    return await lkps.send(operation.method, path, body, by=by, headers={"if-match": "*"})


@pytest.mark.parametrize("villain", VILLAINS.values(), ids=VILLAINS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
async def test_who_is_blocked_is_told_so_by_every_operation(
    lkps: Lkps, operation: Operation, villain: Villain
) -> None:
    await block(lkps, **villain.blocked)
    answer = await ask(lkps, operation, villain.by)
    if operation.name == "authorization_check":
        assert (answer.status, answer.json["rule"]) == (200, villain.rule)
        (reason,) = answer.json["reasons"]
        assert reason["who"] == "platform_admin"
        return
    assert refused(answer) == (403, "caller_blocked")
    assert "administrator" in answer.json["detail"]
    row = lkps.rows[-1]
    assert (row["action"], row["reason"]) == ("request.refused", villain.rule)


async def test_who_was_known_to_another_process_is_blocked_there_within_five_seconds(
    lkps: Lkps,
) -> None:
    elsewhere = lkps.another_process()
    villain = VILLAINS["user"]
    assert (await elsewhere.send("GET", "agents", by=villain.by)).status == 200
    await block(lkps, **villain.blocked)
    lkps.clock.pass_by(5)
    answer = await elsewhere.send("GET", "agents", by=villain.by)
    assert refused(answer) == (403, "caller_blocked")


async def test_whoever_has_a_blocked_object_id_is_blocked_be_it_a_person_or_an_application(
    lkps: Lkps,
) -> None:
    await block(lkps, user_oid=guid("sp crm"))
    assert await outcome(lkps, CRM) == "caller_blocked"
    assert await outcome(lkps, person("ann")) == 200


async def test_a_block_ends_at_its_instant(lkps: Lkps) -> None:
    answer = await block(lkps, agent_name="concierge", until=later(10.5))
    assert answer.json["until"] == "2026-03-14T09:27:03Z"
    lkps.clock.pass_by(10.499999)
    assert await outcome(lkps, CRM) == "agent_not_callable"
    lkps.clock.pass_by(0.000001)
    assert await outcome(lkps, CRM) == 200
    assert (await shown(lkps))["blocked"] is False


@pytest.mark.parametrize("moment", [later(0), later(-1)])
async def test_a_block_that_would_be_over_already_is_refused(lkps: Lkps, moment: str) -> None:
    answer = await block(lkps, agent_name="concierge", until=moment)
    assert refused(answer) == (422, "body_invalid")
    assert answer.json["errors"][0]["pointer"] == "/until"
    assert lkps.revocations._rows == {}


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_lifting_lets_everyone_in_again(lkps: Lkps, kind: str) -> None:
    elsewhere = lkps.another_process()
    await block(lkps, **SUBJECTS[kind])
    assert await outcome(elsewhere, ANN) == REFUSED_WITH[kind]
    assert (await lift(lkps, IDS[kind], by=ADMIN)).status == 204
    assert (await outcome(lkps, ANN), await outcome(elsewhere, ANN)) == (200, 200)
    assert refused(await lift(lkps, IDS[kind])) == (404, "revocation_not_found")


async def test_a_block_is_read_as_it_was_made(lkps: Lkps) -> None:
    made = await block(lkps, agent_name="concierge", until=later(60), reason="It shouts.")
    expected = {
        "revocation_id": "agent:concierge",
        "kind": "agent",
        "subject": "concierge",
        "reason": "It shouts.",
        "blocked_by": {"tid": TENANT, "oid": guid("user ada")},
        "blocked_at": "2026-03-14T09:26:53Z",
        "until": "2026-03-14T09:27:53Z",
    }
    assert made.json.items() >= expected.items()
    read = await lkps.send("GET", "revocations/agent:concierge", by=ADMIN)
    assert (read.status, read.json) == (200, expected)
    listed = await lkps.send("GET", "revocations", by=ADMIN)
    assert listed.json == {"revocations": [expected]}


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_a_block_is_named_by_what_it_blocks(lkps: Lkps, kind: str) -> None:
    answer = await block(lkps, **SUBJECTS[kind])
    (subject,) = SUBJECTS[kind].values()
    named = {name: answer.json[name] for name in ("revocation_id", "kind", "subject")}
    assert named == {"revocation_id": IDS[kind], "kind": kind, "subject": subject}


async def test_blocking_again_changes_reason_and_end(lkps: Lkps) -> None:
    await block(lkps, agent_name="concierge", until=later(60))
    lkps.clock.pass_by(30)
    again = await block(lkps, by=ADMIN, agent_name="concierge", reason="for good")
    assert (again.status, again.json["reason"]) == (200, "for good")
    assert again.json["blocked_by"]["oid"] == guid("sp admin")
    assert "until" not in again.json
    lkps.clock.pass_by(60)
    assert await outcome(lkps, CRM) == "agent_not_callable"
    assert len(lkps.revocations._rows) == 1


async def test_blocking_again_ends_what_has_come_between(lkps: Lkps) -> None:
    elsewhere = lkps.another_process()
    await started(elsewhere)
    await block(lkps, agent_name="concierge")
    lkps.clock.pass_by(1)
    await started(elsewhere)
    again = await block(lkps, agent_name="concierge")
    assert (again.json["sessions_found"], again.json["sessions_ended"]) == (1, 1)
    assert standing(lkps) == set()


@pytest.mark.parametrize(
    ("by", "what"),
    [
        (ADA, {"user_oid": guid("user ada")}),
        (ADA, {"client_app_id": guid("app cli")}),
        (ADMIN, {"client_app_id": guid("app admin")}),
        (ADMIN, {"user_oid": guid("sp admin")}),
    ],
)
async def test_nobody_blocks_themselves_or_the_application_that_they_use(
    lkps: Lkps, by: str, what: dict[str, Any]
) -> None:
    assert refused(await block(lkps, by=by, **what)) == (409, "would_block_yourself")
    assert lkps.revocations._rows == {}
    assert (await lkps.send("GET", "revocations", by=by)).status == 200


async def test_an_admin_is_blocked_by_another(lkps: Lkps) -> None:
    assert (await block(lkps, by=ADMIN, user_oid=guid("user ada"))).status == 201
    answer = await lift(lkps, f"user:{TENANT}:{guid('user ada')}")
    assert refused(answer) == (403, "caller_blocked")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"agent_name": "concierge", "user_oid": guid("user ann")}, ""),
        ({"agent_name": "Concierge"}, "/agent_name"),
        ({"client_app_id": "crm"}, "/client_app_id"),
        ({"user_oid": guid("user ann").upper()}, "/user_oid"),
        ({"session_id": "concierge"}, "/session_id"),
        ({"session_id": "concierge--" + "A" * 26}, "/session_id"),
        ({"agent_name": "concierge", "reason": ""}, "/reason"),
        ({"agent_name": "concierge", "until": "tomorrow"}, "/until"),
    ],
)
async def test_what_names_no_one_subject_is_refused_by_its_pointer(
    lkps: Lkps, body: dict[str, Any], pointer: str
) -> None:
    answer = await block(lkps, **body)
    assert refused(answer) == (422, "body_invalid")
    assert answer.json["errors"][0]["pointer"] == pointer


async def test_a_block_without_a_reason_is_refused(lkps: Lkps) -> None:
    answer = await lkps.send("POST", "revocations", {"agent_name": "concierge"}, by=ADA)
    assert answer.json["errors"][0]["pointer"] == "/reason"


@pytest.mark.parametrize(
    "revocation_id",
    [
        "agent:concierge",
        "agent",
        "concierge",
        "room:concierge",
        "agent:Concierge",
        "a" * 300,
        "%2e",
    ],
)
async def test_what_is_not_blocked_is_unknown(lkps: Lkps, revocation_id: str) -> None:
    await block(lkps, agent_name="other")
    for method in ("GET", "DELETE"):
        answer = await lkps.send(method, f"revocations/{revocation_id}", by=ADA)
        assert refused(answer) == (404, "revocation_not_found")


@pytest.mark.parametrize("by", [OLGA, OWNER, CLIENT, AGENT, app("auditor", "LKPS.Auditor")])
async def test_only_admins_block_read_and_lift(lkps: Lkps, by: str) -> None:
    await block(lkps, agent_name="concierge")
    for answer in (
        await block(lkps, by=by, agent_name="other"),
        await lkps.send("GET", "revocations/agent:concierge", by=by),
        await lift(lkps, "agent:concierge", by=by),
    ):
        assert refused(answer) == (403, "permission_lacking")
    assert lkps.revocations._rows.keys() == {("revocation", "agent:concierge")}


async def test_the_trail_has_reason_and_author_as_it_was_and_as_it_is(lkps: Lkps) -> None:
    await block(lkps, agent_name="concierge", until=later(60), reason="It shouts.")
    await block(lkps, by=ADMIN, agent_name="concierge", reason="for good")
    await lift(lkps, IDS["agent"])
    made, changed, lifted = (row for row in lkps.rows if row["action"].startswith("revocation."))
    first = {"reason": "It shouts.", "until": "2026-03-14T09:27:53+00:00"}
    second = {"reason": "for good", "until": None}
    assert (made["action"], made["after"]) == ("revocation.created", first)
    assert (changed["action"], changed["before"]) == ("revocation.changed", first)
    assert changed["after"] == second
    assert (lifted["action"], lifted["before"]) == ("revocation.lifted", second)
    assert ("before" in made, "after" in lifted) == (False, False)
    assert [row["comment"] for row in (made, changed, lifted)][:2] == ["It shouts.", "for good"]
    authors = [row["oid"] for row in (made, changed, lifted)]
    assert authors == [guid("user ada"), guid("sp admin"), guid("user ada")]
    assert {row["subject"] for row in (made, changed, lifted)} == {"agent:concierge"}
    assert {row["agent_name"] for row in (made, changed, lifted)} == {"concierge"}


@pytest.mark.parametrize(
    ("what", "agent_name"),
    [
        ({"client_app_id": CRM_ID}, None),
        ({"user_oid": guid("user ann")}, None),
        ({"session_id": UNKNOWN_SESSION}, "concierge"),
    ],
)
async def test_the_trail_names_the_agent_where_there_is_one(
    lkps: Lkps, what: dict[str, Any], agent_name: str | None
) -> None:
    await block(lkps, **what)
    row = next(row for row in lkps.rows if row["action"] == "revocation.created")
    assert row.get("agent_name") == agent_name


@pytest.mark.usefixtures("impatient")
async def test_without_the_trail_nobody_is_blocked_and_nothing_ends(lkps: Lkps) -> None:
    session_id = await started(lkps)
    await block(lkps, agent_name="other")
    lkps.trail.down = True
    answers = [await block(lkps, agent_name="concierge"), await lift(lkps, "agent:other")]
    assert {refused(answer) for answer in answers} == {(503, "audit_unavailable")}
    lkps.trail.down = False
    assert lkps.revocations._rows.keys() == {("revocation", "agent:other")}
    assert standing(lkps) == {session_id}


@pytest.mark.parametrize("is_new", [True, False])
async def test_of_two_who_block_in_one_moment_the_later_one_is_told(
    lkps: Lkps, is_new: bool
) -> None:
    if not is_new:
        await block(lkps, agent_name="concierge")
    table = SteppingRows(lkps.revocations)
    stop = table.steps.stop("add" if is_new else "replace", "before")
    late = asyncio.create_task(
        block(replace(lkps, revocations=table, seed=3), agent_name="concierge", reason="late")
    )
    await stop.reached.wait()
    await block(lkps, agent_name="concierge", reason="first")
    stop.release()
    assert refused(await late) == (409, "edited_meanwhile")
    read = await lkps.send("GET", "revocations/agent:concierge", by=ADA)
    assert read.json["reason"] == "first"


async def test_who_lifts_a_block_that_changes_in_that_moment_is_told(lkps: Lkps) -> None:
    await block(lkps, agent_name="concierge")
    table = SteppingRows(lkps.revocations)
    stop = table.steps.stop("remove", "before")
    lifting = asyncio.create_task(lift(replace(lkps, revocations=table, seed=3), "agent:concierge"))
    await stop.reached.wait()
    await block(lkps, agent_name="concierge", reason="for good")
    stop.release()
    assert refused(await lifting) == (409, "edited_meanwhile")
    assert await outcome(lkps, CRM) == "agent_not_callable"


async def test_a_block_whose_answer_was_lost_stands_and_blocking_again_ends_what_is_live(
    lkps: Lkps,
) -> None:
    await started(lkps)
    table = SteppingRows(lkps.revocations)
    table.lose("add")
    process = replace(lkps, revocations=table, seed=3)
    answer = await block(process, agent_name="concierge")
    assert refused(answer) == (503, "storage_unavailable")
    again = await block(process, agent_name="concierge")
    assert (again.status, again.json["sessions_ended"]) == (200, 1)
    assert standing(lkps) == set()


async def test_who_blocks_an_agent_is_told_which_tokens_stay_out(lkps: Lkps) -> None:
    await lkps.register()
    (beyond,) = (await block(lkps, agent_name="concierge")).json["beyond_reach"]
    assert beyond["what"].startswith("Its instances (2 are live) keep their connection to LiveKit")
    assert beyond["until"] == "2026-03-14T10:26:53Z"
    assert beyond["runbook"] == "docs/authorization.md#what-a-block-cannot-reach"


@pytest.mark.parametrize("kind", ["application", "user"])
async def test_who_blocks_a_caller_is_told_of_the_agents_that_it_may_run(
    lkps: Lkps, kind: str
) -> None:
    (beyond,) = (await block(lkps, **SUBJECTS[kind])).json["beyond_reach"]
    assert "until those agents are blocked too" in beyond["what"]
    assert beyond["until"] == "2026-03-14T10:26:53Z"


async def test_no_session_starts_while_sessions_are_being_ended(lkps: Lkps) -> None:
    """Between the block and the answer to who made it, starts are refused already."""
    await started(lkps)
    rooms = SteppingRooms(lkps.rooms)
    process = replace(lkps, rooms=rooms, seed=3)
    await started(process)
    stop = rooms.steps.stop("delete", "before")
    blocking = asyncio.create_task(block(process, agent_name="concierge"))
    await stop.reached.wait()
    assert await outcome(process, CRM) == "agent_not_callable"
    stop.release()
    assert (await blocking).json["sessions_ended"] == 2


async def last_a_minute(lkps: Lkps) -> None:
    """The agent's sessions, at the most."""
    limit, headers = {"max_session_seconds": 60}, {"if-match": "*"}
    answer = await lkps.send("PATCH", "agents/concierge", limit, by=ADA, headers=headers)
    assert answer.status == 200


async def test_a_block_ends_what_outlived_its_longest_duration_and_is_still_there(
    lkps: Lkps,
) -> None:
    await last_a_minute(lkps)
    over_time, gone = await started(lkps), await started(lkps, ANN)
    lkps.clock.pass_by(60)
    await lkps.rooms.delete(f"test--{gone}")
    answer = await block(lkps, agent_name="concierge")
    assert (answer.json["sessions_found"], answer.json["sessions_ended"]) == (1, 1)
    assert (standing(lkps), set(ended(lkps))) == (set(), {over_time})


@pytest.mark.parametrize("kind", ["application", "user"])
async def test_of_rooms_over_time_only_those_that_the_block_concerns_go(
    lkps: Lkps, kind: str
) -> None:
    await last_a_minute(lkps)
    sessions = {await started(lkps, by): name for name, by in CALLERS.items()}
    lkps.clock.pass_by(60)
    await block(lkps, **SUBJECTS[kind])
    concerned = {one for one, name in sessions.items() if name in CONCERNED[kind]}
    assert standing(lkps) == sessions.keys() - concerned


async def test_another_installations_rooms_stay(lkps: Lkps) -> None:
    foreign = Room(f"other--concierge--{'a' * 26}", 60, "concierge", "secret", "")
    await lkps.rooms.create(foreign)
    await block(lkps, agent_name="concierge")
    assert foreign.name in lkps.rooms.rooms


@pytest.mark.parametrize(
    ("there", "wanted", "until"),
    [
        (None, 60, None),
        (60, None, None),
        (60, 30, "2026-03-14T09:27:53Z"),
        (30, 60, "2026-03-14T09:27:53Z"),
    ],
)
async def test_blocking_again_shortens_no_block(
    lkps: Lkps, there: int | None, wanted: int | None, until: str | None
) -> None:
    for seconds in (there, wanted):
        end = {} if seconds is None else {"until": later(seconds)}
        answer = await block(lkps, agent_name="concierge", **end)
    assert answer.json.get("until") == until


async def test_a_block_that_has_ended_by_itself_lengthens_no_new_one(lkps: Lkps) -> None:
    await block(lkps, agent_name="concierge", until=later(60))
    lkps.clock.pass_by(61)
    answer = await block(lkps, agent_name="concierge", until=later(90))
    assert answer.json["until"] == "2026-03-14T09:28:23Z"


@pytest.mark.usefixtures("promptly")
async def test_what_is_ended_later_is_recorded_when_it_ends(lkps: Lkps) -> None:
    sessions, revocations = SteppingSessions(lkps.sessions), SteppingRows(lkps.revocations)
    process = replace(lkps, sessions=sessions, revocations=revocations, seed=5)
    await process.send("GET", "whoami", by=ADA)
    looks = every_look(revocations)
    await block(process, agent_name="concierge")
    elsewhere = lkps.another_process()
    await lift(elsewhere, "agent:concierge")
    lkps.clock.pass_by(4)
    session_id = await started(elsewhere)
    await block(elsewhere, agent_name="concierge")
    await let_all_pass(looks)
    row = ended(lkps)[session_id]
    assert row["at"] >= "2026-03-14T09:26:57"


@pytest.mark.usefixtures("promptly", "impatient")
async def test_a_block_whose_insertion_was_not_answered_ends_what_is_live_all_the_same(
    lkps: Lkps,
) -> None:
    session_id = await started(lkps)
    table = SteppingRows(lkps.revocations)
    table.lose("add")
    process = replace(lkps, revocations=table, seed=5)
    answer = await block(process, agent_name="concierge")
    assert refused(answer) == (503, "storage_unavailable")
    await until(is_settled)
    assert (standing(lkps), set(ended(lkps))) == (set(), {session_id})
