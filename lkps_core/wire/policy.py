"""The policy file: agents, owners, modes, grants and limits, as code."""

from typing import Annotated, Any, Literal

from pydantic import Field

from lkps_core.agents.model import AccessMode
from lkps_core.wire.agents import Contact
from lkps_core.wire.bodies import AgentName, Answer, Body, Guid, Word
from lkps_core.wire.grants import CreateGrant, MaxSeconds, MaxSessions
from lkps_core.wire.limits import SetLimits

Guids = Annotated[list[Guid], Field(max_length=50)]


class AgentPolicy(Body):
    """One agent. A member that is left out stays as it is; `grants`, where given, is complete."""

    beat_id: Word | None = Field(None, description="The registered system's id in BEAT.")
    contact: Contact | None = None
    runners: Guids | None = Field(None, description="Object ids of who may run it.")
    owners: Guids | None = Field(None, description="Object ids of who may manage it.")
    access_mode: AccessMode | None = None
    report_only: bool | None = Field(
        None, description="Record would-be denials of mode, grants and limits, and deny nobody."
    )
    max_sessions: MaxSessions | None = None
    max_session_seconds: MaxSeconds | None = None
    grants: Annotated[list[CreateGrant], Field(max_length=20_000)] | None = None


class PolicyDocument(Body):
    """What the file says. Agents that it does not name stay as they are."""

    version: Literal[1] = 1
    limits: SetLimits | None = Field(
        None, description="The platform's; for admins. A limit that is left out stays as it is."
    )
    agents: Annotated[dict[AgentName, AgentPolicy], Field(max_length=5_000)] = Field(
        default_factory=dict[str, AgentPolicy]
    )


class Change(Answer):
    action: Literal["create", "update", "delete"]
    kind: Literal["agent", "grant", "limits"]
    agent_name: str | None = None
    grant_id: str | None = None
    before: dict[str, Any] | None = Field(None, description="Only the members that differ.")
    after: dict[str, Any] | None = Field(None, description="Only the members that differ.")


class Finding(Answer):
    """What the linter has to say: the plan can be applied all the same."""

    code: str
    pointer: str = Field(description="Where in the file (RFC 6901).")
    detail: str


class Planned(Answer):
    basis: str = Field(description="What is live now; as `If-Match` it guards an apply.")
    changes: list[Change]
    warnings: list[Finding]


class Applied(Answer):
    changes: list[Change]
    warnings: list[Finding]


class PolicyAnswer(Answer):
    """The live policy in the file's own form."""

    version: Literal[1] = 1
    limits: dict[str, Any] | None = None
    agents: dict[str, dict[str, Any]]
