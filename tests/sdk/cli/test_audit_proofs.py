"""`lkps audit key`, `checkpoints`, `receipt` and `verify-receipt`: what proves a row."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lkps_core.errors import SessionNotFound
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn
from tests.trail.parts.keys import Signer
from tests.trail.parts.receipts import receipt_json
from tests.trail.parts.trails import A, C, row, small_trail

SIGNER = Signer(1)
TRAIL = small_trail(SIGNER)
KEY = SIGNER.key.text
SESSION = json.loads(row(A, 3))["session_id"]
RECEIPT = {**receipt_json(TRAIL, A, 3), "session_id": SESSION}


def checkpoints(*numbers: int) -> dict[str, Any]:
    found = [{"number": one, "note": TRAIL.covered[one - 1][0].note} for one in numbers]
    return {"origin": SIGNER.origin, "key": KEY, "last": 4, "checkpoints": found}


async def test_the_key_is_printed_as_verifying_takes_it(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "audit/checkpoints", checkpoints(4))

    assert (await lkps("audit", "key")).out == f"{KEY}\n"


async def test_the_last_checkpoint_is_shown(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "audit/checkpoints", checkpoints(4))

    ran = await lkps("audit", "checkpoints")

    lines = [line.split() for line in ran.out.splitlines()]
    assert lines[0] == [f"{SIGNER.origin}:", "4", "checkpoints"]
    assert lines[2][:4] == ["4", "2026-11-24", "09:15:00.000000Z", "23"]
    assert len(lines) == 3
    assert dict(service.received[-1].query) == {}


async def test_all_checkpoints_after_one_are_followed(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "audit/checkpoints", checkpoints(1, 2))
    service.answers_with("GET", "audit/checkpoints", checkpoints(3))
    service.answers_with("GET", "audit/checkpoints", checkpoints())

    ran = await lkps("audit", "checkpoints", "--after", "0", "--json")

    assert ran.json == checkpoints(1, 2, 3)
    assert [one.query["after"] for one in service.received] == ["0", "2", "3"]


async def test_a_trail_without_a_checkpoint_has_none_to_show(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "audit/checkpoints", {**checkpoints(), "last": 0})

    assert (await lkps("audit", "checkpoints")).out == f"{SIGNER.origin}: 0 checkpoints\n"
    assert (await lkps("audit", "checkpoints", "--after", "0")).code == 0


async def test_a_checkpoint_that_is_none_is_not_lkps_answer(
    lkps: Command, service: LkpsStandIn
) -> None:
    found = {**checkpoints(), "checkpoints": [{"number": 1, "note": "no note"}]}
    service.answers_with("GET", "audit/checkpoints", found)

    assert (await lkps("audit", "checkpoints")).code == 1


async def test_a_receipt_is_printed_or_written(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    service.answers_with("GET", f"session/{SESSION}/receipt", RECEIPT)
    file = tmp_path / "receipt.json"

    printed = await lkps("audit", "receipt", SESSION)
    written = await lkps("audit", "receipt", SESSION, "--output", str(file))

    assert (printed.json, printed.err) == (RECEIPT, "")
    assert (written.out, written.err) == ("", f"Written: {file}\n")
    assert json.loads(file.read_text()) == RECEIPT


async def test_a_receipt_before_the_next_checkpoint_says_so(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", f"session/{SESSION}/receipt", receipt_json(TRAIL, C, 8))

    ran = await lkps("audit", "receipt", SESSION)

    assert ran.code == 0
    assert "No checkpoint covers it yet" in ran.err


async def test_a_session_that_is_not_there_has_no_receipt(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.refuses("GET", "session/x/receipt", SessionNotFound())

    assert (await lkps("audit", "receipt", "x")).code == 1


async def test_a_receipt_that_proves_its_row_is_said_to(bare: Command, tmp_path: Path) -> None:
    (tmp_path / "receipt.json").write_text(json.dumps(RECEIPT))

    ran = await bare("audit", "verify-receipt", str(tmp_path / "receipt.json"), "--key", KEY)

    assert ran.code == 0
    assert ran.out.splitlines() == [
        "recorded, and as signed",
        f"  session     {SESSION}",
        "  agent       concierge",
        "  action      session.authorized: success",
        "  at          2026-11-24 09:00:03.000000Z",
        f"  row         3 of {A}",
        "  checkpoint  2026-11-24 09:00:00.000000Z, of 4 rows",
    ]


async def test_a_program_reads_the_proof(bare: Command) -> None:
    options = ("audit", "verify-receipt", "-", "--key", KEY, "--json")

    result = (await bare(*options, stdin=json.dumps(RECEIPT))).json

    assert result["verified"] is True
    assert result["row"] == json.loads(row(A, 3))
    assert result["checkpoint"]["size"] == 4


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ({**RECEIPT, "session_id": "another"}, "of another session"),
        ({**RECEIPT, "row": RECEIPT["row"].replace("success", "refused")}, "stated hash"),
        ({**RECEIPT, "number": 2}, "says that it is another row"),
        (receipt_json(small_trail(Signer(2)), A, 3), "not signed by this key"),
        (receipt_json(TRAIL, C, 8), "no checkpoint covers the row yet"),
        ({}, "not a receipt"),
    ],
)
async def test_a_receipt_that_proves_nothing_is_refused(
    bare: Command, members: Mapping[str, Any], what: str
) -> None:
    ran = await bare("audit", "verify-receipt", "-", "--key", KEY, stdin=json.dumps(members))

    assert (ran.code, ran.out) == (1, "")
    assert what in ran.err


@pytest.mark.parametrize("content", ["", "[]", "no JSON", "[" * 100_000])
async def test_a_file_that_is_no_receipt_is_refused(bare: Command, content: str) -> None:
    ran = await bare("audit", "verify-receipt", "-", "--key", KEY, stdin=content)

    assert ran.code == 1
    assert "not a receipt" in ran.err
