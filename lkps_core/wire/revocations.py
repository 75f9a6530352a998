"""Bodies of the kill switch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from lkps_core.wire.bodies import AgentName, Answer, Body, Guid, Instant, InstantIn, Word
from lkps_core.wire.grants import Reason
from lkps_core.wire.principals import PrincipalAnswer

type SubjectKind = Literal["agent", "application", "user", "session"]


class Revoke(Body):
    """What to block: exactly one of the first four."""

    agent_name: AgentName | None = None
    client_app_id: Guid | None = None
    user_oid: Guid | None = None
    session_id: Word | None = None
    reason: Reason
    until: InstantIn | None = Field(None, description="The block ends by itself at this instant.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        named = (self.agent_name, self.client_app_id, self.user_oid, self.session_id)
        if sum(one is not None for one in named) != 1:
            raise ValueError("must name one of agent_name, client_app_id, user_oid, session_id")
        return self


class BeyondReach(Answer):
    """What a block cannot end by itself."""

    what: str
    until: Instant | None = Field(None, description="When it ends by itself.")
    runbook: str = Field(description="Where the guide says what to do about it.")


class RevocationAnswer(Answer):
    revocation_id: str = Field(description="`agent:…`, `application:…`, `user:…`, `session:…`")
    kind: SubjectKind
    subject: str = Field(description="The agent's name, or the id of what is blocked.")
    reason: str
    blocked_by: PrincipalAnswer
    blocked_at: Instant
    until: Instant | None = None


class Revoked(RevocationAnswer):
    sessions_found: int = Field(description="Live sessions that the block concerns.")
    sessions_ended: int = Field(description="Those that have ended already; the rest follow.")
    beyond_reach: list[BeyondReach]


class RevocationList(Answer):
    revocations: list[RevocationAnswer] = Field(description="Blocks that hold now.")
    next: str | None = Field(None, description="Give it as `after` to read on.")
