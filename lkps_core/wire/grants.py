"""Bodies of the grants' routes: which client application may call an agent, and for whom."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from lkps_core.wire.bodies import Answer, Body, Guid, Instant, InstantIn, changes, printable
from lkps_core.wire.principals import PrincipalAnswer

type GrantScope = Literal["application", "any_user", "group", "user"]

Reason = Annotated[str, StringConstraints(min_length=3, max_length=500), AfterValidator(printable)]
MaxSessions = Annotated[int, Field(ge=1, le=100_000)]
MaxSeconds = Annotated[int, Field(ge=10, le=24 * 3600)]


class GrantTerms(Body):
    """For whom, how much and until when a client application may call an agent.

    Without `any_user`, `group_id` and `user_oid`, it is for the application itself: its app-only
    tokens. With one of them, it is for people who are signed in through the application.
    """

    client_app_id: Guid = Field(description="The client application's client id (`azp`).")
    any_user: bool = Field(False, description="For whoever is signed in through the application.")
    group_id: Guid | None = Field(None, description="For members of this Entra group.")
    user_oid: Guid | None = Field(None, description="For this one user.")
    expires_at: InstantIn | None = Field(None, description="The grant ends at this instant.")
    max_sessions: MaxSessions | None = Field(None, description="Most sessions at once.")
    max_session_seconds: MaxSeconds | None = Field(None, description="Longest session.")
    report_only: bool = Field(
        False, description="Its conditions and limits are recorded, and deny nobody."
    )

    @model_validator(mode="after")
    def _is_for_one_kind(self) -> Self:
        if sum((self.any_user, self.group_id is not None, self.user_oid is not None)) > 1:
            raise ValueError("must have at most one of any_user, group_id and user_oid")
        return self


class CreateGrant(GrantTerms):
    reason: Reason = Field(description="Why, for whoever reads it in a year.")


class ChangeGrant(Body):
    """A member that is left out stays; null takes an expiry or a limit away."""

    expires_at: InstantIn | None = Field(None, description="The grant ends at this instant.")
    max_sessions: MaxSessions | None = Field(None, description="Most sessions at once.")
    max_session_seconds: MaxSeconds | None = Field(None, description="Longest session.")
    report_only: bool | None = Field(
        None, description="Its conditions and limits are recorded, and deny nobody."
    )
    reason: Reason | None = Field(None, description="Why, for whoever reads it in a year.")

    def changes(self) -> dict[str, Any]:
        return changes(self, clearable=("expires_at", "max_sessions", "max_session_seconds"))


class GrantAnswer(Answer):
    grant_id: str
    agent_name: str
    client_app_id: str
    scope: GrantScope
    group_id: str | None = None
    user_oid: str | None = None
    expires_at: Instant | None = None
    max_sessions: int | None = None
    max_session_seconds: int | None = None
    report_only: bool
    reason: str
    granted_by: PrincipalAnswer
    granted_at: Instant
    expired: bool = Field(description="Whether its instant has passed.")


class GrantList(Answer):
    grants: list[GrantAnswer]
    next: str | None = Field(None, description="Give it as `after` to read on.")
