"""Bodies of the sweep's routes."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from lkps_core.wire.bodies import Answer, Body
from lkps_core.wire.grants import Reason


class Sweep(Body):
    """Run the sweep now, beside its timer."""

    reason: Reason | None = Field(None, description="Needed, but for a dry run.")
    dry_run: bool = Field(False, description="Tell what a run would do, and do nothing.")
    full: bool = Field(
        True, description="Compare all sessions and rooms; false: only see to what is due."
    )
    force: bool = Field(
        False,
        description="Remove rooms without a session even where they are over a fifth of all.",
    )

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.reason is None and not self.dry_run:
            raise ValueError("must say the reason, but for a dry run")
        return self

    def terms(self) -> dict[str, Any]:
        return {"dry_run": self.dry_run, "full": self.full, "force": self.force}


class RunAnswer(Answer):
    kind: Literal["due", "full"]
    began_at: str
    seconds: float
    rooms: int = Field(description="Rooms of this installation, two minutes old at least.")
    sessions: int = Field(description="Sessions that were looked at: of a full run, all open ones.")
    ended: dict[str, int] = Field(description="Sessions that were ended, by cause.")
    agents_dispatched: int = Field(description="Agents that did not come, or were lost.")
    rooms_removed: int = Field(description="Rooms that had no session.")
    rows_removed: int = Field(description="Sessions that had ended a day before.")
    leases_ended: int = Field(description="Instances that fell silent.")
    blocks_removed: int = Field(description="Blocks whose time was over.")
    failed: int = Field(description="What could not be seen to, and is left to the next run.")
    complete: bool = Field(description="False: time was over first, and the next run goes on.")
    stopped: bool = Field(
        description="True: more rooms had no session than is plausible, and none was removed."
    )


class SweepAnswer(Answer):
    runs: list[RunAnswer] = Field(description="The last run of each kind.")
