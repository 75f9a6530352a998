"""Checkpoints: they cover every row once, continue one another, and are signed."""

import asyncio
import logging
from datetime import timedelta

import pytest

from lkps.cli.signatures import verify_signature
from lkps_core.auditing import checkpointing
from lkps_core.errors import SigningUnavailable, StorageUnavailable
from lkps_trail.checkpoint import signed_checkpoint
from tests.builders.lkps import ADMIN, AUDITOR, CLIENT, Lkps
from tests.unit.auditing.arranging import note_key, verified


async def test_a_run_covers_all_rows_and_the_next_has_nothing_to_do(lkps: Lkps) -> None:
    await lkps.register()
    await lkps.start()

    assert await lkps.services.checkpointing.run() == 1
    assert await lkps.services.checkpointing.run() == 0

    result = await verified(lkps)
    assert (result.findings, result.rows, result.uncovered) == ([], 3, 0)


async def test_without_a_row_there_is_no_checkpoint(lkps: Lkps) -> None:
    assert await lkps.services.checkpointing.run() == 0
    answer = await lkps.send("GET", "audit/checkpoints", by=AUDITOR)
    assert (answer.json["last"], answer.json["checkpoints"]) == (0, [])


async def test_new_rows_are_covered_by_the_next_which_continues_the_tree(lkps: Lkps) -> None:
    await lkps.register()
    for _ in range(3):
        await lkps.services.checkpointing.run()
        lkps.clock.pass_by(300)
        await lkps.start()
    result = await verified(lkps)
    assert (result.findings, result.batches, result.uncovered) == ([], 3, 1)


async def test_every_processs_stream_is_covered(lkps: Lkps) -> None:
    other = lkps.another_process()
    await lkps.register()
    await lkps.start()
    await other.start()
    await other.services.checkpointing.run()
    result = await verified(lkps)
    assert (result.findings, result.batches, result.rows) == ([], 1, 4)


async def test_what_was_written_late_yesterday_is_covered(lkps: Lkps) -> None:
    await lkps.register()
    lkps.clock.pass_by(26 * 3600)
    await lkps.start()
    await lkps.services.checkpointing.run()
    assert (await verified(lkps)).rows == len(lkps.rows) - 1  # the export's own comes after


async def test_more_rows_than_one_checkpoint_takes_are_covered_by_several_in_one_run(
    lkps: Lkps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "MOST_ROWS", 2)
    await lkps.register()
    for _ in range(5):
        await lkps.start()
    many = len(lkps.rows)
    assert await lkps.services.checkpointing.run() == -(-many // 2)
    result = await verified(lkps)
    assert (result.findings, result.rows) == ([], many)


async def test_two_runs_at_once_cover_every_row_once(lkps: Lkps) -> None:
    other = lkps.another_process()
    await lkps.register()
    await lkps.start()
    many = len(lkps.rows)
    runs = (one.services.checkpointing.run() for one in (lkps, other))
    await asyncio.gather(*runs)
    result = await verified(lkps)
    assert (result.findings, result.batches, result.rows) == ([], 1, many)


async def test_a_checkpoint_is_never_earlier_than_the_one_before_it(lkps: Lkps) -> None:
    await lkps.register()
    await lkps.services.checkpointing.run()
    first = lkps.clock.now
    lkps.clock.now -= timedelta(seconds=20)
    await lkps.start()
    await lkps.services.checkpointing.run()
    answer = await lkps.send("GET", "audit/checkpoints", by=AUDITOR)
    (last,) = answer.json["checkpoints"]
    assert signed_checkpoint(last["note"], await note_key(lkps), verify_signature).at == first


async def test_a_row_that_is_gone_is_an_error_in_the_log_and_the_rest_is_covered(
    lkps: Lkps, caplog: pytest.LogCaptureFixture
) -> None:
    await lkps.register()
    await lkps.start()
    ((_, rows),) = lkps.trail.rows.items()
    del rows[1]
    await lkps.services.checkpointing.run()
    assert [one.message for one in caplog.records if one.levelno == logging.ERROR] == [
        "the trail has a gap"
    ]
    places = [finding.place for finding in (await verified(lkps)).findings]
    assert [place.partition(" of ")[0] for place in places] == ["row 2"]


async def test_a_changed_row_is_found_and_named(lkps: Lkps) -> None:
    await lkps.register()
    await lkps.start()
    await lkps.services.checkpointing.run()
    ((stream, rows),) = lkps.trail.rows.items()
    rows[1] = rows[1].replace(b"concierge", b"concierga")
    places = [finding.place for finding in (await verified(lkps)).findings]
    assert f"row 1 of {stream}" in places


@pytest.mark.parametrize("what", ["trail", "checkpoints"])
async def test_what_cannot_be_reached_ends_the_run_and_the_next_one_does_it(
    lkps: Lkps, what: str
) -> None:
    await lkps.register()
    getattr(lkps, what).down = True
    with pytest.raises(StorageUnavailable):
        await lkps.services.checkpointing.run()
    getattr(lkps, what).down = False
    assert await lkps.services.checkpointing.run() == 1


async def test_without_its_key_there_is_no_checkpoint(lkps: Lkps) -> None:
    await lkps.register()
    lkps.signer.down = True
    with pytest.raises(SigningUnavailable):
        await lkps.services.checkpointing.run()
    lkps.signer.down = False
    assert await lkps.services.checkpointing.run() == 1


async def test_checkpoints_are_listed_page_by_page(lkps: Lkps) -> None:
    await lkps.register()
    for _ in range(3):
        await lkps.services.checkpointing.run()
        await lkps.start()
    listed = await lkps.send("GET", "audit/checkpoints?after=0&limit=2", by=CLIENT)
    assert listed.json["last"] == 3
    assert [one["number"] for one in listed.json["checkpoints"]] == [1, 2]
    rest = await lkps.send("GET", "audit/checkpoints?after=2&limit=2", by=ADMIN)
    assert [one["number"] for one in rest.json["checkpoints"]] == [3]


@pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=0", "limit=21", "afetr=1"])
async def test_a_query_that_is_none_is_refused(lkps: Lkps, query: str) -> None:
    answer = await lkps.send("GET", f"audit/checkpoints?{query}", by=AUDITOR)
    assert (answer.status, answer.json["code"]) == (400, "query_invalid")
