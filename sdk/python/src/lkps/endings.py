"""Endings: how a job ends, told by its own process (or thread) to the worker's.

livekit-agents itself does not know: a process whose entrypoint raised exits with 0, one whose
entrypoint called `sys.exit` hangs for a minute, and a thread has no exit code.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from livekit import rtc
from livekit.agents import JobContext

from lkps.masking import MASKING

Entrypoint = Callable[[JobContext], Awaitable[None]]

SHUTDOWN_BY_WORKER = "parent process shutdown"
"""What livekit-agents gives as reason when the worker ends a job, or LiveKit through it."""

_REASON_SECONDS = 1.0

_ROOM_OVER = frozenset(
    {
        rtc.DisconnectReason.PARTICIPANT_REMOVED,
        rtc.DisconnectReason.ROOM_CLOSED,
        rtc.DisconnectReason.ROOM_DELETED,
    }
)


class Ending(StrEnum):
    COMPLETED = "completed"
    TOLD_TO_END = "told_to_end"
    ENTRYPOINT_RAISED = "entrypoint_raised"
    ENTRYPOINT_EXITED = "entrypoint_exited"
    CONNECTION_LOST = "connection_lost"


@dataclass(frozen=True)
class ToldEntrypoint:
    """An agent's entrypoint, masked; `worker` is told how each of its jobs ended, once.

    It is pickled into job processes, and the socket with it.
    """

    entrypoint: Entrypoint
    worker: socket.socket

    async def __call__(self, ctx: JobContext) -> None:
        MASKING.hide(ctx.job.deployment)
        MASKING.install()
        job = _Job(ctx.job.id, self.worker)
        ctx.room.on("connection_state_changed", job.connection_changed)
        ctx.room.on("disconnected", job.disconnected)
        ctx.add_shutdown_callback(job.shut_down)
        try:
            await self.entrypoint(ctx)
        except Exception:
            await job.raised()
            raise
        except SystemExit:
            job.tell(Ending.ENTRYPOINT_EXITED)
            raise


class _Job:
    def __init__(self, job_id: str, worker: socket.socket) -> None:
        self._job_id = job_id
        self._worker = worker
        self._told = False
        self._is_leaving = False
        self._has_left = asyncio.Event()

    def connection_changed(self, state: rtc.ConnectionState.ValueType) -> None:
        self._is_leaving = state == rtc.ConnectionState.CONN_DISCONNECTED

    def disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        if reason in _ROOM_OVER:
            self.tell(Ending.COMPLETED)
        elif reason != rtc.DisconnectReason.CLIENT_INITIATED:
            self.tell(Ending.CONNECTION_LOST)
        self._has_left.set()

    async def raised(self) -> None:
        """No failure when livekit-agents cancels what did not end in time.

        The room is seen to be gone a moment before it is said why: that comes first.
        """
        task = asyncio.current_task()
        if task is None or task.cancelling():
            return
        if self._is_leaving:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_left.wait(), _REASON_SECONDS)
        self.tell(Ending.ENTRYPOINT_RAISED)

    async def shut_down(self, reason: str) -> None:
        by_worker = reason == SHUTDOWN_BY_WORKER
        self.tell(Ending.TOLD_TO_END if by_worker else Ending.COMPLETED)

    def tell(self, ending: Ending) -> None:
        """The first is what happened; all after it is the clearing up."""
        if self._told:
            return
        self._told = True
        with suppress(OSError):  # a worker that is gone
            self._worker.sendall(f"{self._job_id} {ending}\n".encode())


class Endings:
    """The worker's side of it: an entrypoint for its jobs, and an ear for what they tell."""

    def __init__(self) -> None:
        # a stream: lines this short arrive whole, whoever else writes
        self._ear, self._mouth = socket.socketpair()
        self._listening: asyncio.Transport | None = None

    def told_by(self, entrypoint: Entrypoint) -> ToldEntrypoint:
        if isinstance(entrypoint, ToldEntrypoint):  # of an earlier run
            entrypoint = entrypoint.entrypoint
        return ToldEntrypoint(entrypoint, self._mouth)

    async def listen(self, heard: Callable[[str, Ending], None]) -> None:
        """Calls with the job's id and its ending, always before its process is seen to be gone."""
        loop = asyncio.get_running_loop()
        self._listening, _ = await loop.create_connection(lambda: _Lines(heard), sock=self._ear)

    def close(self) -> None:
        if self._listening is not None:
            self._listening.close()
        else:
            self._ear.close()
        self._mouth.close()


class _Lines(asyncio.Protocol):
    def __init__(self, heard: Callable[[str, Ending], None]) -> None:
        self._heard = heard
        self._begun = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            job_id, _, ending = line.decode().partition(" ")
            self._heard(job_id, Ending(ending))
