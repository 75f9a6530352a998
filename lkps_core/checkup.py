"""Whether LiveKit is set up as LKPS needs it: found out on LiveKit itself, with a room of its own.

The room goes at once. LiveKit tells of that whichever process it reaches, which writes it down for
the one that waits.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from lkps_core.agents.names import agent_name_in, id_of
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import StorageUnavailable
from lkps_core.ports import AlreadyThere, Changed, Randomness, Room, RoomEvent, Rooms, Rows
from lkps_core.sessions.naming import room_name, session_id_in
from lkps_core.settings import Settings
from lkps_core.wire.platform import PlatformChecked

WAIT_SECONDS = 5.0
"""LiveKit tells within milliseconds, and again for some seconds where it was not answered."""

NAME = "lkps-check"
"""The agent that the room is made for; there is none, so that no worker takes it."""

_EMPTY_SECONDS = 60
_REMEMBERED = 20
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """Of which rooms of the last checks LiveKit told, the last one last."""

    rooms: tuple[str, ...] = ()

    @property
    def partition(self) -> str:
        return "platform"

    @property
    def key(self) -> str:
        return "heard"


class Checkup:
    def __init__(
        self,
        settings: Settings,
        rooms: Rooms,
        heard: Rows[Heard],
        trail: Trail,
        monotonic: Callable[[], float],
        randomness: Randomness,
    ) -> None:
        self._settings = settings
        self._rooms = rooms
        self._heard = heard
        self._trail = trail
        self._monotonic = monotonic
        self._randomness = randomness

    async def check(self, call: Call) -> PlatformChecked:
        """A room that is left behind by a failure has no session: the sweep removes it."""
        await self._trail.record(call.event("platform.checked"))
        auto_create = await self._rooms.makes_what_is_joined(self._new_room_name())
        return PlatformChecked(
            auto_create=auto_create, webhook_seconds=await self._until_told(self._new_room_name())
        )

    async def heard(self, event: RoomEvent) -> None:
        """Of whatever room LiveKit tells: what concerns no check is let pass."""
        if event.news == "finished" and self._is_of_a_check(event.room_name):
            await self._remember(event.room_name)

    async def _until_told(self, name: str) -> float | None:
        """The seconds that it took, from when the room is gone; None when they are over first."""
        await self._rooms.create(Room(name, _EMPTY_SECONDS, NAME, "nobody", ""))
        await self._rooms.delete(name)
        began = self._monotonic()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not await self._was_told_of(name):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)  # another process may be the one that is told
        except TimeoutError:
            return None
        return round(self._monotonic() - began, 3)

    async def _was_told_of(self, name: str) -> bool:
        stored = await self._heard.get("platform", "heard")
        return stored is not None and name in stored.row.rooms

    async def _remember(self, name: str) -> None:
        """Raises StorageUnavailable when others always come first: LiveKit tells again then."""
        for _ in range(_ATTEMPTS):
            with suppress(AlreadyThere, Changed):
                return await self._add(name)
        raise StorageUnavailable(reason="others always came first")

    async def _add(self, name: str) -> None:
        stored = await self._heard.get("platform", "heard")
        if stored is None:
            await self._heard.add(Heard((name,)))
        elif name not in stored.row.rooms:
            latest = (*stored.row.rooms[1 - _REMEMBERED :], name)
            await self._heard.replace(Heard(latest), stored.etag)

    def _is_of_a_check(self, room: str) -> bool:
        session_id = session_id_in(self._settings.installation, room)
        return session_id is not None and agent_name_in(session_id) == NAME

    def _new_room_name(self) -> str:
        return room_name(self._settings.installation, id_of(NAME, self._randomness(16)))
