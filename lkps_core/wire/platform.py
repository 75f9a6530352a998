"""What a check of the platform found."""

from pydantic import Field

from lkps_core.wire.bodies import Answer


class PlatformChecked(Answer):
    auto_create: bool = Field(
        description="Whether LiveKit makes the room that somebody joins: must be false."
    )
    webhook_seconds: float | None = Field(
        None, description="How soon LiveKit told of a room's end; left out: not within 5 s."
    )
