"""How a job's own process tells the worker's how it ended."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit import rtc
from livekit.agents import JobContext

from lkps.endings import SHUTDOWN_BY_WORKER, Ending, Endings, Entrypoint
from tests.sdk.parts.job import MemoryJob
from tests.sdk.parts.waiting import eventually

REASON = rtc.DisconnectReason


class Worker:
    """A worker's side, and one job of it; `heard` are that job's endings."""

    def __init__(self) -> None:
        self.endings = Endings()
        self.job = MemoryJob()
        self.heard: list[Ending] = []
        self._mark = asyncio.Event()

    async def runs(self, entrypoint: Entrypoint) -> None:
        await self.endings.told_by(entrypoint)(self.job.context)

    async def hears(self, *endings: Ending) -> None:
        """Those and no more: what was told before the mark is heard before it."""
        self.endings._mouth.sendall(b"mark completed\n")
        await asyncio.wait_for(self._mark.wait(), 10)
        assert self.heard == list(endings)

    def hear(self, job_id: str, ending: Ending) -> None:
        if job_id == "mark":
            self._mark.set()
        else:
            self.heard.append(ending)


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    worker = Worker()
    await worker.endings.listen(worker.hear)
    yield worker
    worker.endings.close()


async def stay(_: JobContext) -> None:
    return


async def fail(_: JobContext) -> None:
    raise RuntimeError


async def leave(_: JobContext) -> None:
    raise SystemExit


async def fail_when_cancelled(_: JobContext) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise RuntimeError from None


@pytest.mark.parametrize(
    ("entrypoint", "error", "ending"),
    [
        (fail, RuntimeError, Ending.ENTRYPOINT_RAISED),
        (leave, SystemExit, Ending.ENTRYPOINT_EXITED),
    ],
)
async def test_what_an_entrypoint_raises_is_told_once_and_goes_on(
    worker: Worker, entrypoint: Entrypoint, error: type[BaseException], ending: Ending
) -> None:
    with pytest.raises(error):
        await worker.runs(entrypoint)
    worker.job.lose_room(REASON.CLIENT_INITIATED)
    await worker.job.shut_down("job crashed")

    await worker.hears(ending)


async def test_an_entrypoint_that_is_cancelled_has_not_failed_whatever_it_raises_then(
    worker: Worker,
) -> None:
    running = asyncio.create_task(worker.runs(fail_when_cancelled))
    await eventually(lambda: worker.job.room.listeners)
    await asyncio.wait([running], timeout=0)
    running.cancel()
    with pytest.raises(RuntimeError):
        await running
    await worker.job.shut_down()

    await worker.hears(Ending.COMPLETED)


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        (REASON.ROOM_DELETED, Ending.COMPLETED),
        (REASON.UNKNOWN_REASON, Ending.CONNECTION_LOST),
        (None, Ending.ENTRYPOINT_RAISED),
    ],
)
async def test_an_entrypoint_that_raises_as_its_room_goes_tells_why_the_room_went(
    worker: Worker, reason: rtc.DisconnectReason.ValueType | None, ending: Ending
) -> None:
    async def fail_without_a_room(_: JobContext) -> None:
        worker.job.lose_connection()
        if reason is not None:
            asyncio.get_running_loop().call_soon(worker.job.lose_room, reason)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await worker.runs(fail_without_a_room)

    await worker.hears(ending)


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        (REASON.ROOM_CLOSED, Ending.COMPLETED),
        (REASON.ROOM_DELETED, Ending.COMPLETED),
        (REASON.PARTICIPANT_REMOVED, Ending.COMPLETED),
        (REASON.UNKNOWN_REASON, Ending.CONNECTION_LOST),
        (REASON.SERVER_SHUTDOWN, Ending.CONNECTION_LOST),
        (REASON.DUPLICATE_IDENTITY, Ending.CONNECTION_LOST),
    ],
)
async def test_a_room_that_is_lost_tells_by_its_reason(
    worker: Worker, reason: rtc.DisconnectReason.ValueType, ending: Ending
) -> None:
    await worker.runs(stay)
    worker.job.lose_room(reason)
    await worker.job.shut_down(SHUTDOWN_BY_WORKER)

    await worker.hears(ending)


@pytest.mark.parametrize(
    ("reason", "ending"),
    [("all is said", Ending.COMPLETED), (SHUTDOWN_BY_WORKER, Ending.TOLD_TO_END)],
)
async def test_a_job_that_shuts_down_tells_whether_the_worker_wanted_it(
    worker: Worker, reason: str, ending: Ending
) -> None:
    await worker.runs(stay)
    worker.job.lose_room(REASON.CLIENT_INITIATED)
    await worker.job.shut_down(reason)

    await worker.hears(ending)


async def test_what_comes_in_pieces_is_heard_whole(worker: Worker) -> None:
    worker.endings._mouth.sendall(b"AJ_1 completed\nAJ_1 conn")
    await eventually(lambda: worker.heard == [Ending.COMPLETED])
    worker.endings._mouth.sendall(b"ection_lost\n")

    await worker.hears(Ending.COMPLETED, Ending.CONNECTION_LOST)


async def test_an_entrypoint_of_an_earlier_run_tells_the_worker_that_runs_now(
    worker: Worker,
) -> None:
    earlier = Endings()
    entrypoint = earlier.told_by(fail)
    earlier.close()

    with pytest.raises(RuntimeError):
        await worker.runs(entrypoint)

    await worker.hears(Ending.ENTRYPOINT_RAISED)


async def test_a_worker_that_is_gone_is_no_trouble_for_the_job() -> None:
    worker = Worker()
    worker.endings.close()

    await worker.runs(stay)
    await worker.job.shut_down()

    assert worker.heard == []
