"""Ending a session: its row says so, its room goes, the trail has it, and its row is at rest."""

from dataclasses import replace

from lkps_core.audit.event import Event
from lkps_core.audit.stream import Trail
from lkps_core.call import Account
from lkps_core.errors import EditedMeanwhile
from lkps_core.policy.usage import UsageBook
from lkps_core.ports import Changed, Randomness, Rooms, Rows, Stored
from lkps_core.sessions.events import of
from lkps_core.sessions.life import closing
from lkps_core.sessions.model import Cause, Session

_ATTEMPTS = 6


class Closing:
    def __init__(
        self,
        sessions: Rows[Session],
        rooms: Rooms,
        trail: Trail,
        usage: UsageBook,
        randomness: Randomness,
    ) -> None:
        self._sessions = sessions
        self._rooms = rooms
        self._trail = trail
        self._usage = usage
        self._randomness = randomness

    async def close(
        self, account: Account, stored: Stored[Session], cause: Cause, rule: str
    ) -> Session:
        """End the room for everyone in it. Ending an ended session changes nothing.

        The row says `ending` before the room goes, so that a repeated start cannot bring it back,
        and `ended` only once the room is gone and the trail says so: whatever fails in between,
        ending again goes on from there, with the first cause. Raises EditedMeanwhile.
        """
        if stored.row.state == "ended":
            return stored.row
        if stored.row.state == "open":
            claim = self._randomness(8).hex()
            stored = await self._write(closing(stored.row, cause, account.at, claim), stored.etag)
        await self._rooms.delete(stored.row.room_name)
        await self._trail.record(_event(account, stored.row, rule))
        session = await self._at_rest(stored)
        self._usage.is_over(session)
        return session

    async def close_by_will(
        self, account: Account, stored: Stored[Session], cause: Cause, rule: str
    ) -> Session:
        """As `close`, for somebody who wants it: what is told of the room meanwhile is no obstacle.

        Raises EditedMeanwhile when another token was given out meanwhile, or it was taken back.
        """
        for _ in range(_ATTEMPTS):
            try:
                return await self.close(account, stored, cause, rule)
            except EditedMeanwhile:
                found = await self._sessions.get(stored.row.partition, stored.row.key)
                if found is None or found.row.issued != stored.row.issued:
                    raise
                stored = found
        raise EditedMeanwhile(reason="session_changed_meanwhile")

    async def _at_rest(self, stored: Stored[Session]) -> Session:
        """Its row says that it has ended, with what was told of its room meanwhile."""
        for _ in range(_ATTEMPTS):
            session = replace(stored.row, state="ended")
            try:
                await self._sessions.replace(session, stored.etag)
            except Changed:
                found = await self._sessions.get(session.partition, session.key)
                if found is None or found.row.state == "ended":
                    return session
                stored = found
            else:
                return session
        raise EditedMeanwhile(reason="session_changed_meanwhile")

    async def _write(self, session: Session, etag: str) -> Stored[Session]:
        try:
            return Stored(session, await self._sessions.replace(session, etag))
        except Changed as error:
            raise EditedMeanwhile(reason="session_changed_meanwhile") from error


def _event(account: Account, session: Session, rule: str) -> Event:
    return account.event(
        "session.ended",
        reason=session.cause,
        **of(session),
        rule=rule,
    )
