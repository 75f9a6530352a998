"""The index: derived behind the rows, again where something went wrong, and never needed."""

import logging

import pytest

from lkps_core.auditing import checkpointing, indexing
from lkps_core.errors import StorageUnavailable
from tests.builders.lkps import ADMIN, AUDITOR, CLIENT, Lkps
from tests.unit.auditing.arranging import asked


async def test_a_run_indexes_what_is_new_and_the_next_has_nothing_to_do(lkps: Lkps) -> None:
    await lkps.register()
    await lkps.start()
    assert await lkps.services.indexing.run() == 3
    assert await lkps.services.indexing.run() == 0
    await lkps.start()
    assert await lkps.services.indexing.run() == 1


async def test_a_run_is_bounded_and_the_next_goes_on(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "MOST_ROWS", 2)
    await lkps.register()
    await lkps.start()
    assert [await lkps.services.indexing.run() for _ in range(3)] == [2, 1, 0]


async def test_a_run_that_was_cut_short_is_done_again_without_a_row_twice(lkps: Lkps) -> None:
    await lkps.register()
    await lkps.start()
    lkps.indexed.down = True
    with pytest.raises(StorageUnavailable):
        await lkps.services.indexing.run()
    lkps.index.down = True
    lkps.indexed.down = False
    with pytest.raises(StorageUnavailable):
        await lkps.services.indexing.run()
    lkps.index.down = False
    await lkps.services.indexing.run()
    assert len(await asked(lkps)) == 3


async def test_reindexing_mends_what_was_changed_or_lost_and_is_recorded(lkps: Lkps) -> None:
    await lkps.register()
    await lkps.start()
    await lkps.services.indexing.run()
    whole = await asked(lkps)
    lkps.index.lose_all()
    assert await asked(lkps) == []
    day = whole[0]["at"][:10]
    body = {"from": day, "to": day, "reason": "rows were missing"}
    answer = await lkps.send("POST", "audit/reindex", body, by=ADMIN)
    assert answer.json == {"streams": 1}
    assert (lkps.rows[-1]["action"], lkps.rows[-1]["comment"]) == (
        "audit.reindexed",
        "rows were missing",
    )
    lkps.clock.pass_by(10 * 24 * 3600)  # those days are no longer looked at by themselves
    await lkps.services.indexing.run()
    assert (await asked(lkps))[:3] == whole
    assert await lkps.services.indexing.run() <= 2  # the questions' own rows


@pytest.mark.parametrize(
    "body",
    [
        {"from": "2026-01-02", "to": "2026-01-01", "reason": "x"},
        {"from": "2026-01-01", "to": "2027-01-02", "reason": "x"},
        {"from": "2026-01-32", "to": "2026-02-01", "reason": "x"},
        {"from": "today", "to": "2026-02-01", "reason": "x"},
        {"from": "2026-01-01", "to": "2026-01-01"},
    ],
)
async def test_days_that_are_none_are_refused(lkps: Lkps, body: object) -> None:
    answer = await lkps.send("POST", "audit/reindex", body, by=ADMIN)
    assert (answer.status, answer.json["code"]) == (422, "body_invalid")


async def test_rows_that_wait_too_long_for_a_checkpoint_are_an_error_in_the_log(
    lkps: Lkps, caplog: pytest.LogCaptureFixture
) -> None:
    async def errors() -> list[str]:
        caplog.clear()
        await lkps.services.indexing.run()
        return [one.message for one in caplog.records if one.levelno >= logging.ERROR]

    await lkps.register()
    assert await errors() == []
    await lkps.services.checkpointing.run()
    lkps.clock.now += 2 * checkpointing.LATE
    assert await errors() == []  # nothing waits
    await lkps.start(by=CLIENT)
    assert await errors() == []
    lkps.clock.now += 2 * checkpointing.LATE
    assert await errors() == ["a checkpoint is late"]
    await lkps.services.checkpointing.run()
    assert await errors() == []


async def test_a_question_is_answered_while_the_index_is_empty(lkps: Lkps) -> None:
    await lkps.register()
    lkps.clock.pass_by(1)
    answer = await lkps.send("GET", "audit", by=AUDITOR)
    assert len(answer.json["rows"]) == 2
