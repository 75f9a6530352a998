"""Sessions: what an agent can know of the session that its job is for, and when it ends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from inspect import isawaitable
from typing import Any

from livekit import rtc
from livekit.agents import JobContext

from lkps.callers import attributes_of_lkps
from lkps.naming import session_id_of
from lkps.retries import Clock

logger = logging.getLogger("lkps")

WARNINGS = (300.0, 60.0)
"""Seconds before the end."""

OnEnding = Callable[[float], Awaitable[None] | None]


def session(ctx: JobContext) -> "Session":
    """The session of the job; before or after `ctx.connect()`."""
    return Session(ctx)


class Session:
    """`id` is None in a room that is no session of the agent, such as the console's."""

    def __init__(self, ctx: JobContext, *, clock: Clock | None = None) -> None:
        self.id = session_id_of(ctx.job.room.name, ctx.job.agent_name)
        self._room = ctx.room
        self._clock = clock or Clock()
        self._ends_at: datetime | None = None
        self._known = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        ctx.add_participant_entrypoint(
            self._meet, kind=rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
        )
        ctx.room.on("disconnected", self._stop)
        ctx.add_shutdown_callback(self._shut_down)

    @property
    def ends_at(self) -> datetime | None:
        """When LKPS ends the session; None until someone has joined."""
        for participant in self._room.remote_participants.values():
            self._learn(participant)
        return self._ends_at

    @property
    def time_left(self) -> float | None:
        """Seconds, 0 at least; None until someone has joined."""
        if (ends_at := self.ends_at) is None:
            return None
        return max(0.0, (ends_at - self._clock.now()).total_seconds())

    def on_ending(self, callback: OnEnding) -> None:
        """Calls, or awaits, `callback` with the seconds left: about 300, and about 60.

        What is past when the first participant joins is left out; with less than a minute left
        then, there is one call at once. The job's end cancels what is still to come.
        """
        self._start(self._warn(callback))

    async def _warn(self, callback: OnEnding) -> None:
        if self.ends_at is None:
            await self._known.wait()
        for seconds in _ahead(self._seconds_left):
            await self._clock.sleep(self._seconds_left - seconds)
            self._start(_call(callback, self._seconds_left))  # a long one delays no other

    @property
    def _seconds_left(self) -> float:
        return self.time_left or 0.0

    async def _meet(self, _: JobContext, participant: rtc.RemoteParticipant) -> None:
        self._learn(participant)

    def _learn(self, participant: rtc.RemoteParticipant) -> None:
        ends_at = attributes_of_lkps(participant).get("lkps.ends_at")
        if ends_at is not None and self.id is not None:
            self._ends_at = datetime.fromisoformat(ends_at)
            self._known.set()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _shut_down(self, _: str) -> None:
        self._stop()

    def _stop(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()


def _ahead(seconds_left: float) -> Sequence[float]:
    return [one for one in WARNINGS if one <= seconds_left] or [seconds_left]


async def _call(callback: OnEnding, seconds_left: float) -> None:
    try:
        called = callback(seconds_left)
        if isawaitable(called):
            await called
    except Exception:
        logger.exception("what was to be done before the session's end failed")
