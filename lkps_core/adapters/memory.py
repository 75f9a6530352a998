"""The ports in memory, with the manners of the real ones: for tests and for trying out."""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lkps_core.agents.model import Registration
from lkps_core.errors import LiveKitUnavailable, StorageUnavailable
from lkps_core.ports import (
    AlreadyThere,
    Changed,
    Clock,
    Dispatch,
    Room,
    RoomParticipant,
    RoomView,
    Row,
    StandingRoom,
    Stored,
)
from lkps_core.sessions.model import Session


class MemoryRows[T: Row]:
    """One table. `down` makes every call fail as an unreachable account does."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Stored[T]] = {}
        self._etags = itertools.count(1)
        self.down = False
        self.calls: list[str] = []

    async def get(self, partition: str, key: str) -> Stored[T] | None:
        self._answer("get")
        return self._rows.get((partition, key))

    async def add(self, row: T) -> str:
        self._answer("add")
        place = (row.partition, row.key)
        there = self._rows.get(place)
        if there is not None and there.row != row:
            raise AlreadyThere
        return there.etag if there else self._write(row)

    async def replace(self, row: T, etag: str) -> str:
        self._answer("replace")
        there = self._rows.get((row.partition, row.key))
        if there is not None and there.row == row and there.etag != etag:
            return there.etag
        self._match(row, etag)
        return self._write(row)

    async def page(
        self, partition: str, *, after: str = "", before: str = "", most: int = 1000
    ) -> Sequence[Stored[T]]:
        self._answer("page")
        keys = sorted(key for place, key in self._rows if place == partition)
        found = [key for key in keys if after < key and (not before or key < before)]
        return [self._rows[partition, key] for key in found[:most]]

    async def remove(self, row: T, etag: str) -> None:
        self._answer("remove")
        if (row.partition, row.key) in self._rows:
            self._match(row, etag)
            del self._rows[row.partition, row.key]

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        if self.down:
            raise StorageUnavailable(reason="the table is down")

    def _match(self, row: T, etag: str) -> None:
        stored = self._rows.get((row.partition, row.key))
        if stored is None or stored.etag != etag:
            raise Changed

    def _write(self, row: T) -> str:
        etag = f'W/"{next(self._etags)}"'
        self._rows[row.partition, row.key] = Stored(row, etag)
        return etag


class MemoryRegistrations(MemoryRows[Registration]):
    async def live(self, agent_name: str, now: datetime, most: int) -> Sequence[Registration]:
        self._answer("live")
        rows = (stored.row for _, stored in sorted(self._rows.items()))
        found = [row for row in rows if row.agent_name == agent_name and row.is_live(now)]
        return found[:most]

    async def lapsed(self, before: datetime, most: int) -> Sequence[Stored[Registration]]:
        self._answer("lapsed")
        rows = (stored for _, stored in sorted(self._rows.items()))
        return [one for one in rows if one.row.lease_until < before][:most]


class MemorySessions(MemoryRows[Session]):
    async def live_of(self, agent_name: str, now: datetime) -> Sequence[Session]:
        self._answer("live_of")
        return [row for row in self._live(now) if row.agent_name == agent_name]

    async def live_after(
        self, agent_name: str, session_id: str, *, most: int
    ) -> Sequence[Stored[Session]]:
        self._answer("live_after")
        rows = (
            stored
            for place, stored in sorted(self._rows.items())
            if place > (agent_name, session_id)
        )
        return [one for one in rows if one.row.state != "ended"][:most]

    async def of_agent(
        self,
        agent_name: str,
        *,
        after: str,
        most: int,
        started_by: str | None = None,
        are_live: bool = False,
    ) -> Sequence[Session]:
        self._answer("of_agent")
        rows = (
            stored.row
            for (partition, key), stored in sorted(self._rows.items())
            if partition == agent_name and key > after
        )
        found = [row for row in rows if started_by in (None, row.started_by)]
        return [row for row in found if row.live_until is not None or not are_live][:most]

    async def due(self, now: datetime, most: int) -> Sequence[Stored[Session]]:
        self._answer("due")
        rows = (stored for _, stored in sorted(self._rows.items()))
        return [one for one in rows if one.row.due_at < now.replace(microsecond=0)][:most]

    async def live_anywhere(self, now: datetime) -> Sequence[Session]:
        self._answer("live_anywhere")
        return self._live(now)

    def _live(self, now: datetime) -> list[Session]:
        rows = (stored.row for _, stored in sorted(self._rows.items()))
        return [row for row in rows if row.live_until is not None and now < row.live_until]


@dataclass(slots=True)
class MemoryRoom:
    """`jobs` are the identities of those that workers took of its dispatches."""

    room: Room
    created_at: datetime
    participants: list[RoomParticipant] = field(default_factory=list[RoomParticipant])
    jobs: set[str] = field(default_factory=set[str])


class MemoryRooms:
    """LiveKit's rooms. A dispatch goes to `workers`, which holds (agent name, deployment)."""

    def __init__(self, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self.rooms: dict[str, MemoryRoom] = {}
        self.workers: set[tuple[str, str]] = set()
        self.down = False
        self.auto_create = False
        self.made: list[str] = []
        self.calls: list[str] = []
        self.clock = clock
        self._numbers = itertools.count(1)

    async def create(self, room: Room) -> None:
        self._answer("create")
        if room.name in self.rooms:
            return
        self.rooms[room.name] = MemoryRoom(room, self.clock())
        self.made.append(room.name)
        self._dispatch(self.rooms[room.name], room.deployment)

    async def delete(self, room_name: str) -> None:
        self._answer("delete")
        self.rooms.pop(room_name, None)

    async def reroute(self, room: Room) -> bool:
        self._answer("reroute")
        made = self.rooms.get(room.name)
        if made is None or any(one.is_agent for one in made.participants):
            return False
        self._dispatch(made, room.deployment)
        return True

    async def standing(self, room_names: Collection[str]) -> frozenset[str]:
        self._answer("standing")
        return frozenset(self.rooms.keys() & set(room_names))

    async def all_standing(self) -> Sequence[StandingRoom]:
        self._answer("all_standing")
        return [StandingRoom(name, made.created_at) for name, made in self.rooms.items()]

    async def look(self, room_name: str) -> RoomView | None:
        self._answer("look")
        made = self.rooms.get(room_name)
        return RoomView(tuple(made.participants)) if made else None

    async def jobs(self, room_name: str) -> frozenset[str]:
        self._answer("jobs")
        made = self.rooms.get(room_name)
        return frozenset(made.jobs) if made else frozenset()

    async def remove(self, room_name: str, identity: str) -> None:
        self._answer("remove")
        made = self.rooms.get(room_name)
        if made is not None:
            made.participants[:] = [one for one in made.participants if one.identity != identity]

    async def dispatch_anew(self, dispatch: Dispatch) -> bool:
        self._answer("dispatch_anew")
        made = self.rooms.get(dispatch.room_name)
        if made is None:
            return False
        made.participants[:] = [one for one in made.participants if not one.is_agent]
        made.jobs.clear()
        self._dispatch(made, dispatch.deployment)
        return True

    async def makes_what_is_joined(self, room_name: str) -> bool:
        self._answer("makes_what_is_joined")
        return self.auto_create or room_name in self.rooms

    async def ping(self) -> None:
        self._answer("ping")

    def _dispatch(self, made: MemoryRoom, deployment: str) -> None:
        if (made.room.agent_name, deployment) in self.workers:
            identity = f"agent-AJ_{next(self._numbers)}"
            made.jobs.add(identity)
            made.participants.append(RoomParticipant(identity, True, self.clock()))

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        if self.down:
            raise LiveKitUnavailable(reason="LiveKit is down")
