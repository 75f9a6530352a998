"""Receipts: the proof, for whoever it concerns, that a session was recorded."""

import pytest

from lkps.cli.signatures import verify_signature
from lkps_core.auditing import checkpointing
from lkps_trail.receipt import Receipt, ReceiptInvalid, verify_receipt
from tests.builders.lkps import (
    ADMIN,
    AUDITOR,
    CLIENT,
    MANAGER,
    OTHER_CLIENT,
    Lkps,
    user,
)
from tests.unit.auditing.arranging import OWNER, note_key


async def started(lkps: Lkps) -> str:
    await lkps.register()
    answer = await lkps.start()
    return f"session/{answer.json['session_id']}/receipt"


async def test_at_once_it_says_where_the_row_is_and_after_a_checkpoint_it_is_proved(
    lkps: Lkps,
) -> None:
    path = await started(lkps)
    early = Receipt.from_json((await lkps.send("GET", path, by=CLIENT)).json)
    assert early.row.encode() in [*lkps.trail.rows[early.stream].values()]
    with pytest.raises(ReceiptInvalid):
        verify_receipt(early, await note_key(lkps), verify_signature)

    await lkps.services.checkpointing.run()
    await lkps.start()
    await lkps.services.checkpointing.run()
    await lkps.services.indexing.run()

    later = Receipt.from_json((await lkps.send("GET", path, by=CLIENT)).json)
    assert (later.stream, later.number, later.row) == (early.stream, early.number, early.row)
    assert verify_receipt(later, await note_key(lkps), verify_signature).size == 3


async def test_every_row_under_a_checkpoint_of_many_is_proved(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "MOST_ROWS", 5)
    await lkps.register()
    sessions = [(await lkps.start()).json["session_id"] for _ in range(12)]
    lkps.clock.pass_by(3600)  # however long no checkpoint was made
    await lkps.services.checkpointing.run()
    for session_id in sessions:
        answer = await lkps.send("GET", f"session/{session_id}/receipt", by=CLIENT)
        verify_receipt(Receipt.from_json(answer.json), await note_key(lkps), verify_signature)


async def test_owners_admins_and_auditors_get_it_too(lkps: Lkps) -> None:
    path = await started(lkps)
    await lkps.assign({"runners": [], "owners": [OWNER]})
    for by in (MANAGER, ADMIN, AUDITOR):
        assert (await lkps.send("GET", path, by=by)).status == 200


async def test_nobody_else_does_and_an_unknown_session_answers_alike(lkps: Lkps) -> None:
    path = await started(lkps)
    unknown = f"session/concierge--{'a' * 26}/receipt"
    answers = [
        await lkps.send("GET", of, by=by)
        for of, by in (
            (path, OTHER_CLIENT),
            (path, MANAGER),
            (unknown, CLIENT),
            ("session/x/receipt", CLIENT),
        )
    ]
    for answer in answers:
        problem = {**answer.json, "request_id": ""}
        assert problem == {**answers[0].json, "request_id": ""}
        assert answer.json["code"] == "session_not_found"


async def test_the_same_person_through_another_application_is_someone_else(lkps: Lkps) -> None:
    await lkps.register()
    session = await lkps.start(by=user("alice", "Session.Start", through="portal"))
    path = f"session/{session.json['session_id']}/receipt"
    statuses = [
        (await lkps.send("GET", path, by=user("alice", "Session.Start", through=through))).status
        for through in ("portal", "shop")
    ]
    assert statuses == [200, 404]
