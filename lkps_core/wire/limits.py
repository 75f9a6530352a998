"""Bodies of the platform's limits."""

from typing import Annotated

from pydantic import Field

from lkps_core.wire.bodies import Answer, Body
from lkps_core.wire.grants import MaxSeconds, MaxSessions

PerMinute = Annotated[int, Field(ge=1, le=100_000)]


class SetLimits(Body):
    """Limits for everyone; a member that is left out gets its default: PUT replaces."""

    starts_per_minute_per_application: PerMinute = Field(
        1200, description="Session starts a minute by one client application."
    )
    starts_per_minute_per_user: PerMinute = Field(
        60, description="Session starts a minute by one user."
    )
    max_sessions_per_agent: MaxSessions | None = Field(
        None, description="Most sessions of any one agent at once."
    )
    max_session_seconds: MaxSeconds | None = Field(
        None, description="Longest session; `LKPS_SESSION_MAX_SECONDS` bounds it in any case."
    )


class LimitsAnswer(Answer):
    starts_per_minute_per_application: int
    starts_per_minute_per_user: int
    max_sessions_per_agent: int | None = None
    max_session_seconds: int | None = None
