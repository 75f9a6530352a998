"""A session: one conversation between a caller and an agent, in a room of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lkps_core.identity.principal import PrincipalId

type State = Literal["open", "ending", "ended", "abandoned"]
type Cause = Literal["ended_by_starter", "ended_by_owner", "ended_by_admin", "blocked"]


@dataclass(frozen=True, slots=True)
class Session:
    """Its id carries the agent's name; its room's name carries its id.

    `attempt` tells two starts of one session apart: a retry of the same insertion has the same.
    `abandoned` is said of one whose start failed, in the moment before its row goes.
    `grant_id` names the grant that it counts against. `issued` counts the join tokens given out,
    so that every one of them changes the row's ETag.
    """

    id: str
    agent_name: str
    starter: PrincipalId
    azp: str
    room_name: str
    participant_identity: str
    body_sha256: str
    attempt: str
    created_at: datetime
    ends_at: datetime
    state: State = "open"
    grant_id: str | None = None
    issued: int = 1
    ended_at: datetime | None = None
    cause: Cause | None = None

    @property
    def live_until(self) -> datetime | None:
        """When it is over at the latest; None once it has ended."""
        return None if self.state == "ended" else self.ends_at

    @property
    def partition(self) -> str:
        return self.agent_name

    @property
    def key(self) -> str:
        return self.id
