"""The full comparison: every open session with its room, and every room with its session."""

import logging
from collections.abc import Callable
from datetime import timedelta

from lkps_core.agents.names import agent_name_in
from lkps_core.audit.stream import Trail
from lkps_core.call import OwnAct
from lkps_core.each import each
from lkps_core.errors import Refusal
from lkps_core.ports import Clock, Rooms, StandingRoom, Stored
from lkps_core.sessions.live import Sessions, find
from lkps_core.sessions.model import Session
from lkps_core.sessions.naming import session_id_in
from lkps_core.sweep.attending import OPERATION, Attending
from lkps_core.sweep.model import Tally

log = logging.getLogger(__name__)

YOUNGEST = timedelta(minutes=2)
"""The age below which a room is left alone: its start may be under way."""

PAGE = 500

MOST_ROOMS = 500
"""Rooms without a session that one run removes."""

MOST_LOOKED_FOR = 5000
"""Rooms whose session one run looks for by itself: of a whole run, those that began meanwhile."""

FEW = 10
"""So many rooms without a session are always plausible; more than a fifth of all are not."""


class Comparing:
    def __init__(
        self,
        installation: str,
        sessions: Sessions,
        rooms: Rooms,
        trail: Trail,
        attending: Attending,
        clock: Clock,
    ) -> None:
        self._installation = installation
        self._sessions = sessions
        self._rooms = rooms
        self._trail = trail
        self._attending = attending
        self._clock = clock

    async def compare(
        self,
        tally: Tally,
        cursor: tuple[str, str],
        is_over: Callable[[], bool],
        *,
        dry_run: bool,
        force: bool,
    ) -> tuple[str, str]:
        """Return where the next run goes on: at the beginning, unless time was over first.

        Raises LiveKitUnavailable and StorageUnavailable while nothing can be compared: a LiveKit
        that does not answer is no LiveKit without rooms.
        """
        standing = await self._own_rooms()
        tally.rooms = len(standing)
        known: set[str] = set()
        while rows := await self._sessions.live_after(*cursor, most=PAGE):
            known.update(stored.row.room_name for stored in rows)
            await each(rows, lambda one: self._attending.attend(one, tally, dry_run=dry_run))
            tally.sessions += len(rows)
            cursor = (rows[-1].row.partition, rows[-1].row.key)
            if is_over():
                tally.complete = False
                break
        else:
            cursor = ("", "")
        await self._remove_lost(
            [room for room in standing if room.name not in known],
            tally,
            dry_run=dry_run,
            force=force,
        )
        return cursor

    async def _own_rooms(self) -> list[StandingRoom]:
        """Old enough, and of this installation."""
        youngest = self._clock() - YOUNGEST
        return [
            room
            for room in await self._rooms.all_standing()
            if _session_id(self._installation, room) is not None and room.created_at <= youngest
        ]

    async def _remove_lost(
        self, candidates: list[StandingRoom], tally: Tally, *, dry_run: bool, force: bool
    ) -> None:
        """Rooms whose session there is none, or that outlived it: each row is read again."""
        lost: list[tuple[StandingRoom, str]] = []

        async def look(room: StandingRoom) -> None:
            stored = await self._session_of(room)
            if stored is None or stored.row.state == "ended":
                lost.append((room, "session_ended" if stored else "no_session"))

        await each(candidates[:MOST_LOOKED_FOR], look)
        if len(lost) > max(FEW, tally.rooms // 5) and not force:
            tally.stopped = True
            seen = {"rooms": tally.rooms, "without_session": len(lost)}
            log.error("the sweep stopped", extra=seen)
            return
        lost = lost[:MOST_ROOMS]
        if dry_run:
            tally.rooms_removed += len(lost)
            return
        await each(lost, lambda one: self._remove(*one, tally))

    async def _remove(self, room: StandingRoom, why: str, tally: Tally) -> None:
        session_id = _session_id(self._installation, room)
        assert session_id is not None  # noqa: S101  others are not looked at
        try:
            await self._rooms.delete(room.name)
            await self._trail.record(
                OwnAct(self._clock(), OPERATION).event(
                    "session.room_removed",
                    reason=why,
                    agent_name=agent_name_in(session_id),
                    session_id=session_id,
                    room_name=room.name,
                )
            )
        except Refusal as error:
            log.warning("a room is left to the next sweep", extra={"reason": error.reason})
            tally.failed += 1
        else:
            tally.rooms_removed += 1

    async def _session_of(self, room: StandingRoom) -> Stored[Session] | None:
        session_id = _session_id(self._installation, room)
        return await find(self._sessions, session_id) if session_id else None


def _session_id(installation: str, room: StandingRoom) -> str | None:
    """None for a room that is no session's of this installation, whatever it is."""
    session_id = session_id_in(installation, room.name)
    return session_id if session_id and agent_name_in(session_id) else None
