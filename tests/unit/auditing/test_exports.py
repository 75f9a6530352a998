"""Exports: of a period, with its proofs, as many answers as it takes."""

import json

import pytest

from lkps_core.auditing import exporting
from tests.builders.lkps import ADMIN, AUDITOR, CLIENT, MANAGER, Lkps
from tests.unit.auditing.arranging import (
    INSPECTOR,
    PERIOD,
    exported,
    note_key,
    verified,
)


@pytest.mark.parametrize("by", [AUDITOR, INSPECTOR])
async def test_auditors_export_and_it_is_recorded(lkps: Lkps, by: str) -> None:
    await lkps.register()
    answer = await lkps.send("GET", f"audit/export?{PERIOD}", by=by)
    assert (answer.status, answer.raw.count(b"\n")) == (200, 5)
    assert lkps.rows[-1]["action"] == "audit.exported"
    assert lkps.rows[-1]["after"]["lines"] == 5


@pytest.mark.parametrize("by", [CLIENT, MANAGER, ADMIN])
async def test_nobody_else_does(lkps: Lkps, by: str) -> None:
    answer = await lkps.send("GET", f"audit/export?{PERIOD}", by=by)
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")


async def test_an_export_of_several_answers_is_one_file(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_ROWS", 3)
    await lkps.register()
    for _ in range(4):
        await lkps.start()
        await lkps.start()
        await lkps.services.checkpointing.run()
    file = await exported(lkps)
    result = await verified(lkps)
    assert (result.findings, result.batches, result.rows) == ([], 4, 10)
    assert json.loads(file.splitlines()[0])["export"]["key"] == (await note_key(lkps)).text


async def test_only_the_checkpoints_that_cover_the_period_are_exported(lkps: Lkps) -> None:
    """Checkpoints at 09:27:53, 09:37:53 and so on, each a minute after the row that it covers."""
    await lkps.register()
    for _ in range(5):
        await lkps.start()
        lkps.clock.pass_by(60)
        await lkps.services.checkpointing.run()
        lkps.clock.pass_by(540)
    result = await verified(lkps, "from=2026-03-14T09:36:00Z&to=2026-03-14T09:46:30Z")
    assert (result.findings, result.batches, result.start) == ([], 2, 3)


async def test_rows_that_no_checkpoint_covers_yet_come_last(lkps: Lkps) -> None:
    await lkps.register()
    await lkps.services.checkpointing.run()
    await lkps.start()
    result = await verified(lkps)
    assert (result.findings, result.rows, result.uncovered) == ([], 2, 1)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "from=2026-01-01T00:00:00Z",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=yesterday&to=2026-01-01T00:00:00Z",
        "from=2026-01-01T00:00:00&to=2026-01-02T00:00:00Z",
        f"{PERIOD}&after=1",
        f"{PERIOD}&after=1-0-0",
        f"{PERIOD}&agent_name=concierge",
    ],
)
async def test_a_period_that_is_none_is_refused(lkps: Lkps, query: str) -> None:
    answer = await lkps.send("GET", f"audit/export?{query}", by=AUDITOR)
    assert (answer.status, answer.json["code"]) == (400, "query_invalid")
