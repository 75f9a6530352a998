"""Listing an agent's sessions: one's own, or all of them for its owners and admins."""

from dataclasses import dataclass
from typing import Literal

from lkps_core.agents.directory import Directory
from lkps_core.agents.managing import manages, possibly_owned
from lkps_core.call import Call
from lkps_core.identity.permissions import START_SESSIONS
from lkps_core.reply import PageOf
from lkps_core.sessions.live import Sessions
from lkps_core.sessions.model import Session, starter_key
from lkps_core.sessions.presence import Presence
from lkps_core.sessions.telling import session_answer
from lkps_core.wire.sessions import SessionList

type Listed = Literal["open", "ended"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions of the agent: those in this state, or all."""

    agent_name: str
    state: Listed | None = None

    def has(self, session: Session) -> bool:
        """A start that failed was never one."""
        if session.state == "abandoned":
            return False
        return self.state is None or self.state == ("open" if session.state == "open" else "ended")


class Listing:
    def __init__(self, directory: Directory, sessions: Sessions, presence: Presence) -> None:
        self._directory = directory
        self._sessions = sessions
        self._presence = presence

    async def listed(self, call: Call, wanted: Wanted, page: PageOf) -> SessionList:
        """By id, as the rows have them. To whoever has none there, every name answers alike.

        A page may have fewer than were asked for, and a `next` all the same.
        """
        caller = call.caller
        agent = await possibly_owned(self._directory, call, wanted.agent_name)
        sees_all = manages(call, agent)
        if not sees_all and not caller.may(START_SESSIONS):
            return SessionList(sessions=[], next=None)
        rows = await self._sessions.of_agent(
            wanted.agent_name,
            after=page.after,
            most=page.most + 1,
            started_by=None if sees_all else starter_key(caller.id, caller.azp),
            are_live=wanted.state == "open",
        )
        shown = rows[: page.most]
        return SessionList(
            sessions=[
                session_answer(
                    one,
                    one.participant_identity,
                    await self._presence.of(one),
                    with_jobs=sees_all,
                )
                for one in shown
                if wanted.has(one)
            ],
            next=shown[-1].id if len(rows) > len(shown) else None,
        )
