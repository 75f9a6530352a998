"""Bodies of the sessions' routes; a start may also be LiveKit's standard TokenSource request."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from lkps_core.wire.bodies import AgentName, Answer, Body, Instant, Word, at_most_bytes

type AgentStatus = Literal["offline", "dispatched", "joined", "left", "absent"]
type SessionState = Literal["created", "joined", "ended"]
type AgentOutcome = Literal["left", "vanished", "failed", "completed"]
type AgentJobOutcome = Literal["accepted", "joined"] | AgentOutcome

RESERVED_IDENTITIES = ("agent-", "lkps", "lk.")
RESERVED_ATTRIBUTES = ("agent-", "lkps", "lk.")


def _not_reserved(prefixes: tuple[str, ...]) -> AfterValidator:
    def check(text: str) -> str:
        if text.casefold().startswith(prefixes):
            raise ValueError(f"must not begin with {' or '.join(prefixes)}")
        return text

    return AfterValidator(check)


def _in_all(attributes: dict[str, str]) -> dict[str, str]:
    if sum(len(key.encode()) + len(value.encode()) for key, value in attributes.items()) > 2048:
        raise ValueError("must be at most 2048 bytes in all")
    return attributes


Identity = Annotated[Word, _not_reserved(RESERVED_IDENTITIES)]
ParticipantName = Annotated[str, at_most_bytes(256)]
ParticipantMetadata = Annotated[str, at_most_bytes(2 * 1024)]
AttributeKey = Annotated[Word, _not_reserved(RESERVED_ATTRIBUTES)]
ParticipantAttributes = Annotated[
    dict[AttributeKey, str], Field(max_length=32), AfterValidator(_in_all)
]
Empty = Annotated[str, StringConstraints(max_length=0)]
AgentMetadata = Annotated[str, at_most_bytes(16 * 1024)]


class DispatchRequest(Body):
    """LiveKit's `RoomAgentDispatch` as client SDKs send it; LKPS chooses the deployment."""

    agent_name: AgentName
    metadata: AgentMetadata = ""
    deployment: Empty = ""


class RoomConfigRequest(Body):
    """Of LiveKit's `RoomConfiguration` only the agent is the caller's to choose."""

    agents: Annotated[list[DispatchRequest], Field(max_length=1)] = Field(
        default_factory=list[DispatchRequest]
    )


class StartSession(Body):
    agent_name: AgentName = Field("", validate_default=False)
    participant_name: ParticipantName = ""
    participant_identity: Identity | None = Field(
        None, description="For applications: whom they speak for. A user's is derived."
    )
    participant_metadata: ParticipantMetadata = ""
    participant_attributes: ParticipantAttributes = Field(default_factory=dict[str, str])
    metadata: AgentMetadata = Field("", description="For the agent: its job's metadata.")
    wait_for_agent: Annotated[int, Field(ge=0, le=10)] = Field(
        0, description="Seconds to wait for the agent to be in the room."
    )
    room_config: RoomConfigRequest | None = None

    @model_validator(mode="after")
    def _names_one_agent(self) -> Self:
        named = {self.agent_name} - {""} | {dispatch.agent_name for dispatch in self._dispatches}
        if len(named) != 1:
            raise ValueError("must name one agent, in agent_name or room_config.agents")
        if self.metadata and any(dispatch.metadata for dispatch in self._dispatches):
            raise ValueError("must give the agent's metadata once")
        return self

    @property
    def _dispatches(self) -> list[DispatchRequest]:
        return self.room_config.agents if self.room_config else []

    @property
    def agent(self) -> str:
        return self.agent_name or self._dispatches[0].agent_name

    @property
    def agent_metadata(self) -> str:
        return self.metadata or next((one.metadata for one in self._dispatches), "")


class SessionStarted(Answer):
    participant_token: str = Field(repr=False)
    server_url: str = Field(
        description="The same as livekit_url, as LiveKit's TokenSource reads it."
    )
    livekit_url: str
    room_name: str
    session_id: str
    participant_identity: str
    agent_status: AgentStatus
    expires_at: Instant = Field(
        description="When the token no longer joins; a session outlives it."
    )


class JoinSession(Body):
    """What the starter said of the participant is not kept: it is said again, or left out."""

    invitation: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        None, repr=False, description="The starter's, from whoever is not in the session yet."
    )
    participant_name: ParticipantName = ""
    participant_identity: Identity | None = Field(
        None, description="For invited applications: whom they speak for, the first time."
    )
    participant_metadata: ParticipantMetadata = ""
    participant_attributes: ParticipantAttributes = Field(default_factory=dict[str, str])


class SessionJoined(SessionStarted):
    """The same as of a start."""


class InviteToSession(Body):
    seconds: Annotated[int, Field(ge=60, le=600)] = Field(
        600, description="For how long it lets one caller in."
    )


class Invited(Answer):
    invitation: str = Field(
        repr=False, description="For the one who is to join; LKPS keeps only its SHA-256."
    )
    expires_at: Instant


class EndSession(Body):
    """Nothing needs to be said to end a session."""


class AgentJob(Answer):
    """What an instance or LiveKit told of one of the agent's jobs."""

    participant_identity: str
    outcome: AgentJobOutcome
    reason: str | None = Field(None, description="The kind of cause, as the worker tells it.")
    registration_id: str | None = Field(None, description="Of the instance that took it.")


class SessionAnswer(Answer):
    session_id: str
    agent_name: str
    room_name: str
    participant_identity: str = Field(description="A guest's own, for a guest; else the starter's.")
    state: SessionState
    agent_status: AgentStatus
    agent_dispatches: int = Field(
        description="More than one: the agent did not come, or was lost and another dispatched."
    )
    agent_outcome: AgentOutcome | None = Field(
        None, description="What became of the last agent that was lost or done."
    )
    created_at: Instant
    joined_at: Instant | None = Field(None, description="When the first person was in the room.")
    ends_at: Instant = Field(description="When LKPS ends the session at the latest.")
    ended_at: Instant | None = None
    cause: str | None = Field(None, description="Why it ended.")
    agent_jobs: list[AgentJob] | None = Field(
        None, description="For the agent's owners and admins: what was told of each of its jobs."
    )


class SessionList(Answer):
    """As the rows say: LiveKit is not asked."""

    sessions: list[SessionAnswer]
    next: str | None = Field(None, description="Give it as `after` to read on.")
