"""Bodies of the dry run: may this caller start a session with that agent, and why (not)?"""

from typing import Annotated, Literal

from pydantic import Field

from lkps_core.wire.bodies import AgentName, Answer, Body, Guid


class SupposedCaller(Body):
    """Whom an owner or admin asks about: an application, or a user signed in through one."""

    client_app_id: Guid
    user_oid: Guid | None = Field(None, description="Left out: the application itself.")
    groups: Annotated[list[Guid], Field(max_length=200)] = Field(
        default_factory=list[str], description="Entra groups that the user is in."
    )
    groups_overage: bool = Field(False, description="Suppose a token that names no groups.")


class CheckAuthorization(Body):
    agent_name: AgentName
    caller: SupposedCaller | None = Field(
        None, description="For owners and admins: about whom. Left out: about yourself."
    )


class ReasonAnswer(Answer):
    rule: str = Field(description="Stable: decide on this.")
    detail: str
    change: str = Field(description="What would have to change.")
    who: Literal["you", "agent_owner", "platform_admin", "entra_admin"] = Field(
        description="Who can change it."
    )
    grant_id: str | None = None


class Checked(Answer):
    agent_name: str
    allowed: bool
    rule: str = Field(description="The rule that decided.")
    would_deny: str | None = Field(
        None, description="The rule that would deny, were it not in report-only."
    )
    grant_id: str | None = Field(None, description="The grant that decided.")
    max_session_seconds: int | None = Field(None, description="Of a session started now.")
    reasons: list[ReasonAnswer] = Field(description="In the order in which they were looked at.")
    contact: str | None = Field(None, description="Whom to ask, for those who may know.")
