"""Bodies of the agents' routes."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from lkps_core.agents.model import AccessMode
from lkps_core.wire.bodies import (
    AgentName,
    Answer,
    Body,
    Instant,
    InstantIn,
    Word,
    changes,
    printable,
)
from lkps_core.wire.grants import MaxSeconds, MaxSessions, Reason
from lkps_core.wire.principals import PrincipalAnswer, PrincipalBody

Contact = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(printable)]
Principals = Annotated[list[PrincipalBody], Field(max_length=50)]


def _few(labels: dict[str, str]) -> dict[str, str]:
    if sum(len(key.encode()) + len(value.encode()) for key, value in labels.items()) > 2048:
        raise ValueError("must be at most 2048 bytes in all")
    return labels


class RegisterAgent(Body):
    agent_name: AgentName
    version: Word | None = Field(None, description="The agent's own version, as operators see it.")
    instance: Word | None = Field(None, description="Which instance this is: a host, a pod.")
    labels: Annotated[dict[Word, Word], Field(max_length=16), AfterValidator(_few)] = Field(
        default_factory=dict[str, str]
    )


class Registered(Answer):
    registration_id: str
    agent_name: str
    deployment: str = Field(
        repr=False, description="The routing secret: connect the worker with it."
    )
    routing_version: int
    token: str = Field(repr=False, description="The agent token for LiveKit's /agent WebSocket.")
    livekit_url: str
    expires_at: Instant = Field(description="When the token expires.")
    renew_after: int = Field(description="Seconds until the next renewal is due.")


class RenewRegistration(Body):
    token_expires_at: InstantIn = Field(description="Expiry of the agent token that is held.")
    routing_version: Annotated[int, Field(ge=1, lt=2**31)] = Field(
        description="Of the routing secret that the worker is connected with."
    )


class Renewed(Answer):
    deployment: str = Field(repr=False)
    routing_version: int
    expires_at: Instant = Field(description="Of the token held from now on.")
    renew_after: int
    token: str | None = Field(
        None, repr=False, description="Only when half of the old one is over."
    )


class ReportJob(Body):
    """What became of a job: LiveKit tells neither a crash from an end, nor who took it."""

    session_id: Annotated[str, StringConstraints(max_length=100)]
    participant_identity: Word = Field(description="The job's in the room: `agent-AJ_…`.")
    outcome: Literal["accepted", "completed", "failed"]
    reason: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_ -]{1,100}$")] | None = Field(
        None, description="The kind of cause, never an error's text."
    )


class AssignAgent(Body):
    """Whose an agent name is. A member that is left out becomes empty: PUT replaces.

    How it may be called stays as it is; of a new agent, `access_mode` says how it begins.
    """

    runners: Principals = Field(default_factory=list[PrincipalBody])
    owners: Principals = Field(default_factory=list[PrincipalBody])
    beat_id: Word | None = Field(None, description="The registered system's id in BEAT.")
    contact: Contact | None = Field(None, description="Whom to ask about the agent.")
    access_mode: AccessMode | None = Field(
        None, description="Left out: as it is; of a new agent `granted` in production, else `open`."
    )


class ChangeAgent(Body):
    """A member that is left out stays; null takes a limit or a contact away."""

    access_mode: AccessMode | None = None
    report_only: bool | None = Field(
        None, description="Record would-be denials of mode, grants and limits, and deny nobody."
    )
    max_sessions: MaxSessions | None = Field(None, description="Most sessions at once.")
    max_session_seconds: MaxSeconds | None = Field(None, description="Longest session.")
    contact: Contact | None = Field(None, description="Whom to ask about the agent.")
    owners: Principals | None = None
    runners: Principals | None = Field(None, description="For admins to change.")
    beat_id: Word | None = Field(None, description="For admins to change.")
    leaving: bool = Field(
        False, description="Say so when the change takes you yourself out of the owners."
    )

    def changes(self) -> dict[str, Any]:
        clearable = ("max_sessions", "max_session_seconds", "contact", "beat_id")
        return changes(self, clearable=clearable, apart_from=("leaving",))


class RotateSecret(Body):
    reason: Reason
    emergency: bool = Field(
        False, description="Stop dispatching to the old secret at once, at the cost of an outage."
    )


class Rotated(Answer):
    agent_name: str
    routing_version: int
    previous_routing_version: int | None = Field(
        None, description="Still dispatched to, until the last instance has moved."
    )
    instances_to_move: int = Field(description="Live instances on an older secret.")
    outage_seconds: int = Field(
        description="For how long starts may find no agent: 0 for a planned rotation."
    )
    detail: str


class Instance(Answer):
    registration_id: str
    version: str | None = None
    instance: str | None = None
    labels: dict[str, str]
    registered_at: Instant
    lease_until: Instant
    routing_version: int


class AgentSummary(Answer):
    name: str
    runners: list[PrincipalAnswer]
    owners: list[PrincipalAnswer]
    beat_id: str | None = None
    contact: str | None = None
    access_mode: AccessMode
    report_only: bool
    max_sessions: int | None = None
    max_session_seconds: int | None = None
    blocked: bool = Field(description="Whether a block on the agent holds now.")
    routing_version: int
    created_at: Instant


class AgentAnswer(AgentSummary):
    instances: list[Instance] = Field(description="Those whose lease is running.")


class AgentList(Answer):
    agents: list[AgentSummary]
    next: str | None = Field(None, description="Give it as `after` to read on.")
