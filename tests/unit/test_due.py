"""Timers: each does its one thing, and says in the log why it could not."""

import logging

import pytest

from lkps_core.due import Timer, due
from lkps_core.errors import Refusal
from lkps_core.services import Services
from tests.builders.lkps import Lkps


async def run(lkps: Lkps, timer: Timer) -> None:
    async def services() -> Services:
        return lkps.services

    await due(timer, services)


async def test_the_checkpoint_timer_covers_what_is_new(lkps: Lkps) -> None:
    await lkps.register()
    await run(lkps, "checkpoint")
    assert list(lkps.checkpoints.blobs) == [1]


async def test_the_index_timer_derives_the_index(lkps: Lkps) -> None:
    await lkps.register()
    await run(lkps, "index")
    assert await lkps.services.indexing.run() == 0


async def test_the_retention_timer_removes_what_is_old(lkps: Lkps) -> None:
    await lkps.register()
    lkps.clock.pass_by(3000 * 24 * 3600)
    await run(lkps, "retention")
    assert [row["action"] for row in lkps.rows] == ["audit.expired"]


@pytest.mark.parametrize("timer", ["checkpoint", "index", "retention"])
async def test_what_cannot_be_done_is_logged_and_fails_the_run(
    lkps: Lkps, timer: Timer, caplog: pytest.LogCaptureFixture
) -> None:
    lkps.take_down_tables()
    with pytest.raises(Refusal):
        await run(lkps, timer)
    (told,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert told.message == "a timer could not do its work"
    assert (told.timer, told.code) == (timer, "storage_unavailable")  # type: ignore[attr-defined]
