"""Retention removes whole days whose time is over; a legal hold keeps them."""

import logging

import pytest

from lkps_core.auditing import holds as module
from lkps_core.errors import AuditUnavailable, StorageUnavailable
from tests.builders.lkps import ADMIN, AUDITOR, CLIENT, Lkps, guid
from tests.unit.auditing.arranging import asked, verified

DAY = 24 * 3600
SEVEN_YEARS = 2558 * DAY


async def lived(lkps: Lkps) -> str:
    """A session, covered and indexed, whose time is over."""
    await lkps.register()
    started = await lkps.start(by=CLIENT)
    await lkps.services.checkpointing.run()
    await lkps.services.indexing.run()
    lkps.clock.pass_by(SEVEN_YEARS)
    return str(started.json["session_id"])


async def test_a_day_whose_time_is_over_is_removed_with_its_index_and_that_is_recorded(
    lkps: Lkps,
) -> None:
    await lived(lkps)
    (stream,) = lkps.trail.rows
    assert await lkps.services.retention.run() == 1
    assert stream not in lkps.trail.rows
    (row,) = lkps.rows
    assert (row["action"], row["subject"]) == ("audit.expired", stream)
    assert [one["action"] for one in await asked(lkps)] == ["audit.expired"]
    assert await lkps.services.retention.run() == 0


async def test_what_comes_after_a_removed_day_still_verifies(lkps: Lkps) -> None:
    await lived(lkps)
    await lkps.services.retention.run()
    await lkps.start(by=CLIENT)
    await lkps.services.checkpointing.run()
    year = lkps.clock.now.year
    result = await verified(lkps, f"from={year}-01-01T00:00:00Z&to={year + 1}-01-01T00:00:00Z")
    assert (result.findings, result.batches) == ([], 1)


async def test_a_day_that_is_not_over_stays(lkps: Lkps) -> None:
    await lkps.register()
    lkps.clock.pass_by(SEVEN_YEARS - 2 * DAY)
    assert await lkps.services.retention.run() == 0


@pytest.mark.usefixtures("impatient")
async def test_a_removal_that_cannot_be_recorded_does_not_happen(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(lkps)
    before = await asked(lkps)

    async def refuse(*_: object) -> None:
        raise StorageUnavailable(reason="the table takes no rows")

    monkeypatch.setattr(lkps.trail, "append", refuse)
    with pytest.raises(AuditUnavailable):
        await lkps.services.retention.run()
    monkeypatch.undo()
    assert (await asked(lkps))[: len(before)] == before
    assert await lkps.services.retention.run() == 1


@pytest.mark.parametrize("kind", ["agent", "application", "user", "session"])
async def test_a_hold_on_a_subject_keeps_the_days_with_its_rows(lkps: Lkps, kind: str) -> None:
    session_id = await lived(lkps)
    subject = {
        "agent": "agent:concierge",
        "application": f"application:{guid('app client')}",
        "user": f"user:{guid('sp client')}",
        "session": f"session:{session_id}",
    }[kind]
    body = {"subject": subject, "reason": "the inquiry"}
    placed = await lkps.send("POST", "audit/holds", body, by=ADMIN)
    assert (placed.status, placed.json["id"]) == (201, subject)
    assert await lkps.services.retention.run() == 0
    lifted = await lkps.send("DELETE", f"audit/holds/{subject}", {"reason": "over"}, by=ADMIN)
    assert lifted.status == 204
    assert await lkps.services.retention.run() == 1


async def test_a_hold_on_another_subject_keeps_nothing(lkps: Lkps) -> None:
    await lived(lkps)
    body = {"subject": f"application:{guid('app other client')}", "reason": "the inquiry"}
    await lkps.send("POST", "audit/holds", body, by=ADMIN)
    assert await lkps.services.retention.run() == 1


async def test_a_block_of_the_subject_is_about_it() -> None:
    row = {"action": "revocation.created", "subject": "user:tenant:alice"}
    assert module.concerns(row, ["user:alice"])
    assert not module.concerns(row, ["user:bob", "application:alice"])


async def test_holds_are_listed_and_every_change_is_recorded(lkps: Lkps) -> None:
    subjects = [f"agent:{name}" for name in ("a", "b", "c")]
    for subject in subjects:
        await lkps.send("POST", "audit/holds", {"subject": subject, "reason": "one"}, by=ADMIN)
    again = {"subject": "agent:a", "reason": "two"}
    assert (await lkps.send("POST", "audit/holds", again, by=ADMIN)).status == 200
    first = await lkps.send("GET", "audit/holds?limit=2", by=AUDITOR)
    rest = await lkps.send("GET", f"audit/holds?after={first.json['next']}", by=AUDITOR)
    found = [*first.json["holds"], *rest.json["holds"]]
    assert [(one["subject"], one["reason"]) for one in found] == [
        ("agent:a", "two"),
        ("agent:b", "one"),
        ("agent:c", "one"),
    ]
    await lkps.send("DELETE", "audit/holds/agent:a", by=ADMIN)
    changed = [row for row in lkps.rows if row.get("subject") == "agent:a"]
    assert [row["action"] for row in changed] == ["hold.placed", "hold.placed", "hold.lifted"]
    assert [row.get("before") for row in changed] == [None, {"reason": "one"}, {"reason": "two"}]


async def test_a_hold_that_is_not_there_cannot_be_lifted(lkps: Lkps) -> None:
    answer = await lkps.send("DELETE", "audit/holds/agent:a", by=ADMIN)
    assert (answer.status, answer.json["code"]) == (404, "hold_not_found")


async def test_there_is_an_end_to_holds(lkps: Lkps, monkeypatch: pytest.MonkeyPatch) -> None:
    from lkps_core.auditing import holding

    monkeypatch.setattr(holding, "MOST", 1)
    for subject, status in (("agent:a", 201), ("agent:b", 409), ("agent:a", 200)):
        body = {"subject": subject, "reason": "one"}
        assert (await lkps.send("POST", "audit/holds", body, by=ADMIN)).status == status


@pytest.mark.parametrize(
    "subject", ["agent", "agent:A", "tenant:x", "user:alice", "session:x", "application:"]
)
async def test_a_subject_that_is_none_is_refused(lkps: Lkps, subject: str) -> None:
    body = {"subject": subject, "reason": "one"}
    answer = await lkps.send("POST", "audit/holds", body, by=ADMIN)
    assert (answer.status, answer.json["code"]) == (422, "body_invalid")


async def test_a_hold_is_told_in_the_log_of_the_removal(
    lkps: Lkps, caplog: pytest.LogCaptureFixture
) -> None:
    await lived(lkps)
    body = {"subject": "agent:concierge", "reason": "the inquiry"}
    await lkps.send("POST", "audit/holds", body, by=ADMIN)
    caplog.set_level(logging.INFO)
    await lkps.services.retention.run()
    assert "a legal hold keeps a day of the trail" in [one.message for one in caplog.records]
