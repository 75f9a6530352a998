"""The ports in memory, with the manners of the real ones: for tests and for trying out."""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lkps_core.agents.model import Registration
from lkps_core.errors import LiveKitUnavailable, StorageUnavailable
from lkps_core.ports import AlreadyThere, Changed, Room, RoomParticipant, Row, Stored
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


class MemorySessions(MemoryRows[Session]):
    async def live_of(self, agent_name: str, now: datetime) -> Sequence[Session]:
        self._answer("live_of")
        return [row for row in self._live(now) if row.agent_name == agent_name]

    async def live_anywhere(self, now: datetime) -> Sequence[Session]:
        self._answer("live_anywhere")
        return self._live(now)

    def _live(self, now: datetime) -> list[Session]:
        rows = (stored.row for _, stored in sorted(self._rows.items()))
        return [row for row in rows if row.live_until is not None and now < row.live_until]


@dataclass(slots=True)
class MemoryRoom:
    room: Room
    participants: list[RoomParticipant] = field(default_factory=list[RoomParticipant])


class MemoryRooms:
    """LiveKit's rooms. A dispatch goes to `workers`, which holds (agent name, deployment)."""

    def __init__(self) -> None:
        self.rooms: dict[str, MemoryRoom] = {}
        self.workers: set[tuple[str, str]] = set()
        self.down = False
        self.calls: list[str] = []

    async def create(self, room: Room) -> None:
        self._answer("create")
        if room.name in self.rooms:
            return
        self.rooms[room.name] = MemoryRoom(room)
        self._dispatch(room)

    async def delete(self, room_name: str) -> None:
        self._answer("delete")
        self.rooms.pop(room_name, None)

    async def reroute(self, room: Room) -> bool:
        self._answer("reroute")
        made = self.rooms.get(room.name)
        if made is None or any(one.is_agent for one in made.participants):
            return False
        self._dispatch(room)
        return True

    async def standing(self, room_names: Collection[str]) -> frozenset[str]:
        self._answer("standing")
        return frozenset(self.rooms.keys() & set(room_names))

    async def all_standing(self) -> frozenset[str]:
        self._answer("all_standing")
        return frozenset(self.rooms)

    async def participants(self, room_name: str) -> Sequence[RoomParticipant]:
        self._answer("participants")
        room = self.rooms.get(room_name)
        return [*room.participants] if room else []

    async def ping(self) -> None:
        self._answer("ping")

    def _dispatch(self, room: Room) -> None:
        if (room.agent_name, room.deployment) in self.workers:
            agent = RoomParticipant("agent-AJ_1", True, room.agent_name)
            self.rooms[room.name].participants.append(agent)

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        if self.down:
            raise LiveKitUnavailable(reason="LiveKit is down")
