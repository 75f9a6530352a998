"""What LKPS answers to a client about sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from lkps.errors import ConfigurationError

if TYPE_CHECKING:
    from livekit import rtc

AgentStatus = Literal["offline", "dispatched", "joined", "left", "absent"]
AgentOutcome = Literal["left", "vanished", "failed", "completed"]


@dataclass(frozen=True)
class StartedSession:
    """A session and the token that joins its room, to be handed to whoever is to join.

    `expires_at` is when the token no longer joins: minutes from now. The session outlives it.
    """

    session_id: str
    participant_token: str = field(repr=False)
    livekit_url: str
    room_name: str
    participant_identity: str
    agent_status: AgentStatus
    expires_at: datetime

    @classmethod
    def from_wire(cls, answer: Mapping[str, Any]) -> Self:
        return cls(
            session_id=str(answer["session_id"]),
            participant_token=str(answer["participant_token"]),
            livekit_url=str(answer["livekit_url"]),
            room_name=str(answer["room_name"]),
            participant_identity=str(answer["participant_identity"]),
            agent_status=answer["agent_status"],
            expires_at=datetime.fromisoformat(answer["expires_at"]),
        )

    async def connect(self, room: "rtc.Room | None" = None) -> "rtc.Room":
        """Joins, as the participant of the token; `room.disconnect()` leaves.

        Hand in a room to listen to its events from the first. Raises livekit's own `ConnectError`.
        """
        if room is None:
            room = _new_room()
        await room.connect(self.livekit_url, self.participant_token)
        return room


@dataclass(frozen=True)
class SessionStatus:
    """A session as LKPS knows it. `participant_identity` is a guest's own, for a guest.

    More than one of `agent_dispatches`: the agent did not come, or was lost and another dispatched.
    """

    session_id: str
    agent_name: str
    room_name: str
    participant_identity: str
    state: Literal["created", "joined", "ended"]
    agent_status: AgentStatus
    agent_dispatches: int
    agent_outcome: AgentOutcome | None
    created_at: datetime
    joined_at: datetime | None
    ends_at: datetime
    ended_at: datetime | None
    cause: str | None

    @classmethod
    def from_wire(cls, answer: Mapping[str, Any]) -> Self:
        return cls(
            session_id=str(answer["session_id"]),
            agent_name=str(answer["agent_name"]),
            room_name=str(answer["room_name"]),
            participant_identity=str(answer["participant_identity"]),
            state=answer["state"],
            agent_status=answer["agent_status"],
            agent_dispatches=int(answer["agent_dispatches"]),
            agent_outcome=answer.get("agent_outcome"),
            created_at=datetime.fromisoformat(answer["created_at"]),
            joined_at=_moment(answer.get("joined_at")),
            ends_at=datetime.fromisoformat(answer["ends_at"]),
            ended_at=_moment(answer.get("ended_at")),
            cause=answer.get("cause"),
        )


@dataclass(frozen=True)
class Invitation:
    """Lets one other caller into a session, once, until it expires."""

    invitation: str = field(repr=False)
    expires_at: datetime

    @classmethod
    def from_wire(cls, answer: Mapping[str, Any]) -> Self:
        return cls(str(answer["invitation"]), datetime.fromisoformat(answer["expires_at"]))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _new_room() -> "rtc.Room":
    try:
        from livekit import rtc
    except ImportError as error:
        raise ConfigurationError('livekit is missing: pip install "lkps-sdk[rtc]"') from error
    return rtc.Room()
