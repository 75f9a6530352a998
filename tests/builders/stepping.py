"""Memory ports that stop, or fail, at a chosen call: what forces two requests into one moment."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, override

from lkps_core.adapters.memory import (
    MemoryRegistrations,
    MemoryRooms,
    MemoryRows,
    MemorySessions,
)
from lkps_core.adapters.memory_trail import MemoryTrailRows
from lkps_core.agents.model import Registration
from lkps_core.errors import LiveKitUnavailable, StorageUnavailable
from lkps_core.ports import Dispatch, Room, RoomView, Row, Stored
from lkps_core.sessions.model import Session

type When = Literal["before", "after"]
type Step = Callable[[], Awaitable[None]]


@dataclass
class Stop:
    """One call that waits where it was told to. `reached` says that it is there."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> None:
        self.reached.set()
        await self.released.wait()

    def release(self) -> None:
        self.released.set()


class Steps:
    """What happens around each call of one port, in one process."""

    def __init__(self) -> None:
        self._once: dict[tuple[str, When], list[Step]] = {}
        self.always: Step | None = None

    def stop(self, call: str, when: When) -> Stop:
        """The next such call waits, before it has its effect or before its answer returns."""
        stop = Stop()
        self.once(call, when, stop)
        return stop

    def fail(self, call: str, error: Exception, *, when: When = "before") -> None:
        """The next such call fails: without effect, or (`after`) with its answer lost."""

        async def raising() -> None:
            raise error

        self.once(call, when, raising)

    def once(self, call: str, when: When, step: Step) -> None:
        self._once.setdefault((call, when), []).append(step)

    async def around(self, call: str, when: When) -> None:
        if self.always is not None:
            await self.always()
        steps = self._once.get((call, when))
        if steps:
            await steps.pop(0)()


class SteppingRows[T: Row](MemoryRows[T]):
    """One process's way to a table that it shares with others."""

    def __init__(self, shared: MemoryRows[T]) -> None:
        super().__init__()
        self._rows, self._etags = shared._rows, shared._etags
        self.steps = Steps()

    def lose(self, call: str) -> None:
        """The next such call has its effect, and its answer is lost."""
        self.steps.fail(call, StorageUnavailable(reason="lost"), when="after")

    def refuse(self, call: str) -> None:
        self.steps.fail(call, StorageUnavailable(reason="refused"))

    @override
    async def get(self, partition: str, key: str) -> Stored[T] | None:
        return await self._around("get", lambda: super(SteppingRows, self).get(partition, key))

    @override
    async def add(self, row: T) -> str:
        return await self._around("add", lambda: super(SteppingRows, self).add(row))

    @override
    async def replace(self, row: T, etag: str) -> str:
        return await self._around("replace", lambda: super(SteppingRows, self).replace(row, etag))

    @override
    async def page(
        self, partition: str, *, after: str = "", before: str = "", most: int = 1000
    ) -> Sequence[Stored[T]]:
        return await self._around(
            "page",
            lambda: super(SteppingRows, self).page(
                partition, after=after, before=before, most=most
            ),
        )

    @override
    async def remove(self, row: T, etag: str) -> None:
        return await self._around("remove", lambda: super(SteppingRows, self).remove(row, etag))

    async def _around[R](self, call: str, effect: Callable[[], Awaitable[R]]) -> R:
        await self.steps.around(call, "before")
        answer = await effect()
        await self.steps.around(call, "after")
        return answer


class SteppingRegistrations(SteppingRows[Registration], MemoryRegistrations):
    """One process's way to the registrations."""


class SteppingSessions(SteppingRows[Session], MemorySessions):
    """One process's way to the sessions."""


class SteppingRooms(MemoryRooms):
    """One process's way to a LiveKit that it shares with others."""

    def __init__(self, shared: MemoryRooms) -> None:
        super().__init__(shared.clock)
        self.rooms, self.workers = shared.rooms, shared.workers
        self._numbers = shared._numbers
        self.steps = Steps()

    def refuse(self, call: str) -> None:
        self.steps.fail(call, LiveKitUnavailable(reason="refused"))

    def lose(self, call: str) -> None:
        self.steps.fail(call, LiveKitUnavailable(reason="lost"), when="after")

    @override
    async def create(self, room: Room) -> None:
        await self.steps.around("create", "before")
        await super().create(room)
        await self.steps.around("create", "after")

    @override
    async def delete(self, room_name: str) -> None:
        await self.steps.around("delete", "before")
        await super().delete(room_name)
        await self.steps.around("delete", "after")

    @override
    async def reroute(self, room: Room) -> bool:
        await self.steps.around("reroute", "before")
        return await super().reroute(room)

    @override
    async def look(self, room_name: str) -> RoomView | None:
        await self.steps.around("look", "before")
        return await super().look(room_name)

    @override
    async def dispatch_anew(self, dispatch: Dispatch) -> bool:
        await self.steps.around("dispatch_anew", "before")
        return await super().dispatch_anew(dispatch)

    @override
    async def remove(self, room_name: str, identity: str) -> None:
        await self.steps.around("remove", "before")
        await super().remove(room_name, identity)


class SteppingTrail(MemoryTrailRows):
    """One process's way to the trail's table."""

    def __init__(self, shared: MemoryTrailRows) -> None:
        super().__init__()
        self.rows, self.announced = shared.rows, shared.announced
        self.steps = Steps()

    @override
    async def append(self, stream: str, first: int, rows: Sequence[bytes]) -> None:
        await self.steps.around("append", "before")
        await super().append(stream, first, rows)
        await self.steps.around("append", "after")
