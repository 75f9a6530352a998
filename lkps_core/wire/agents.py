"""Bodies of the agents' routes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from lkps_core.wire.bodies import AgentName, Answer, Body, Instant, InstantIn, Word

_GUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

Guid = Annotated[str, StringConstraints(pattern=_GUID)]


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


class PrincipalBody(Body):
    tid: Guid
    oid: Guid


class AssignAgent(Body):
    """Who an agent name belongs to. A member that is left out becomes empty: PUT replaces."""

    runners: Annotated[list[PrincipalBody], Field(max_length=50)] = Field(
        default_factory=list[PrincipalBody]
    )
    owners: Annotated[list[PrincipalBody], Field(max_length=50)] = Field(
        default_factory=list[PrincipalBody]
    )
    beat_id: Word | None = Field(None, description="The registered system's id in BEAT.")


class PrincipalAnswer(Answer):
    tid: str
    oid: str


class Instance(Answer):
    registration_id: str
    version: str | None = None
    instance: str | None = None
    labels: dict[str, str]
    registered_at: Instant
    lease_until: Instant
    routing_version: int


class AgentAnswer(Answer):
    name: str
    runners: list[PrincipalAnswer]
    owners: list[PrincipalAnswer]
    beat_id: str | None = None
    access_mode: Literal["open"]
    routing_version: int
    created_at: Instant
    instances: list[Instance] = Field(description="Those whose lease is running.")
