"""A session's room, its people and its agents, as LiveKit would have them come and go."""

from dataclasses import dataclass
from typing import Any

from lkps_core.adapters.memory import MemoryRoom
from lkps_core.ports import RoomParticipant
from lkps_core.sessions.model import Session
from tests.builders.events import event, tell
from tests.builders.lkps import AGENT, CLIENT, Answered, Lkps

PERSON = "somebody"


@dataclass
class Talk:
    """A session that was started, seen from its room."""

    lkps: Lkps
    id: str

    @property
    def room_name(self) -> str:
        return f"test--{self.id}"

    @property
    def room(self) -> MemoryRoom:
        return self.lkps.rooms.rooms[self.room_name]

    @property
    def agents(self) -> list[str]:
        return [one.identity for one in self.room.participants if one.is_agent]

    @property
    def row(self) -> Session:
        return self.lkps.sessions._rows["concierge", self.id].row

    def enter(self, identity: str = PERSON) -> None:
        is_agent = identity.startswith("agent-")
        self.room.participants.append(RoomParticipant(identity, is_agent, self.lkps.clock.now))

    def leave(self, identity: str = PERSON) -> None:
        self.room.participants[:] = [
            one for one in self.room.participants if one.identity != identity
        ]

    def close(self) -> None:
        """LiveKit closes the room by itself."""
        del self.lkps.rooms.rooms[self.room_name]

    async def tell(
        self, news: str, identity: str = PERSON, reason: str = "CLIENT_INITIATED"
    ) -> None:
        told = event(news, self.room_name, self.lkps.clock.now, identity=identity, reason=reason)
        answer = await tell(self.lkps, told)
        assert answer.status == 200, answer.raw

    async def show(self) -> dict[str, Any]:
        answer = await self.lkps.send("GET", f"session/{self.id}", by=CLIENT)
        assert answer.status == 200, answer.raw
        return answer.json

    async def report(
        self,
        registration_id: str,
        identity: str,
        outcome: str,
        *,
        by: str = AGENT,
        **members: object,
    ) -> Answered:
        body = {
            "session_id": self.id,
            "participant_identity": identity,
            "outcome": outcome,
            **members,
        }
        path = f"agent/registrations/{registration_id}/jobs"
        return await self.lkps.send("POST", path, body, by=by)


async def started(lkps: Lkps) -> Talk:
    answer = await lkps.start()
    assert answer.status == 200, answer.raw
    return Talk(lkps, answer.json["session_id"])


def rows_of(lkps: Lkps, action: str) -> list[dict[str, Any]]:
    return [row for row in lkps.rows if row["action"] == action]
