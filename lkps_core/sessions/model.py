"""A session: one conversation between a caller and an agent, in a room of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from lkps_core.identity.principal import PrincipalId
from lkps_core.sessions.guests import Guest, Invitation

type State = Literal["open", "ending", "ended", "abandoned"]
type Phase = Literal["created", "joined", "ended"]
type AgentState = Literal["dispatched", "joined", "left"]
type Outcome = Literal["accepted", "joined", "left", "vanished", "failed", "completed"]
type Cause = Literal[
    "ended_by_starter",
    "ended_by_owner",
    "ended_by_admin",
    "blocked",
    "time_over",
    "nobody_joined",
    "everyone_left",
]

GRACE = timedelta(seconds=10)
"""How long a dispatched agent may take: LiveKit waits so long for a worker to accept the job."""

UNTOLD = timedelta(seconds=40)
"""How long the word on an agent that is gone may take: its worker tries for so long to give it."""

ALONE = timedelta(seconds=60)
"""After so long without a person a session that somebody had joined is over."""

UNFINISHED = timedelta(seconds=60)
"""After so long an end, or an undone start, was left by a process that is no more."""

KEPT = timedelta(hours=24)
"""How long the row of an ended session stays."""


@dataclass(frozen=True, slots=True)
class Job:
    """What became of one of the agent's jobs in this session, as its worker or LiveKit tells.

    `identity` is the job's in the room. `accepted` is told by whoever took it, `joined` by LiveKit
    of one that came into the room. `left` says that it went by itself, which a crash does too;
    `failed` and `completed` are the worker's word, and `vanished` LiveKit's for one that was cut
    off. `dispatch` counts up to the one in whose time it was first told of. `registration_id` is
    that of the instance that took it, once it said so.
    """

    identity: str
    outcome: Outcome
    dispatch: int = 1
    reason: str | None = None
    registration_id: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Its id carries the agent's name; its room's name carries its id.

    `attempt` tells two starts of one session apart: a retry of the same insertion has the same.
    `abandoned` is said of one whose start failed, in the moment before its row goes.
    `grant_id` names the grant that it counts against. `issued` counts the join tokens given out,
    so that every one of them changes the row's ETag; the last expires at `token_until`.

    `joined_at` is when the first person was in the room, `alone_since` when it was last seen that
    nobody is any more. `agent_state` and `agent_identity` are of the agent that was dispatched
    last, since `agent_since`; `dispatches` counts those that LKPS asked for. `claim` tells whoever
    wrote what is to be done from others who wrote the same in the same moment: it alone does it.

    `guests` are who else was given a token, `invitations` those that can still be used, or expired.
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
    token_until: datetime
    state: State = "open"
    grant_id: str | None = None
    issued: int = 1
    ended_at: datetime | None = None
    cause: Cause | None = None
    joined_at: datetime | None = None
    alone_since: datetime | None = None
    agent_state: AgentState = "dispatched"
    agent_identity: str | None = None
    agent_since: datetime | None = None
    dispatches: int = 1
    jobs: tuple[Job, ...] = ()
    claim: str = ""
    guests: tuple[Guest, ...] = ()
    invitations: tuple[Invitation, ...] = ()

    @property
    def started_by(self) -> str:
        """The starter and the application it started through, as `starter_key` has them."""
        return starter_key(self.starter, self.azp)

    @property
    def phase(self) -> Phase:
        """The state that callers are told."""
        if self.state != "open":
            return "ended"
        return "created" if self.joined_at is None else "joined"

    @property
    def agent_changed_at(self) -> datetime:
        """When the agent's state became what it is; at first, when the session was started."""
        return self.agent_since or self.created_at

    @property
    def live_until(self) -> datetime | None:
        """When it is over at the latest; None once it has ended."""
        return None if self.state == "ended" else self.ends_at

    @property
    def due_at(self) -> datetime:
        """When the sweep has to look at it next, if nobody does before."""
        if self.state == "ended":
            return (self.ended_at or self.created_at) + KEPT
        if self.state == "ending":
            return (self.ended_at or self.created_at) + UNFINISHED
        if self.state == "abandoned":
            return self.created_at + UNFINISHED
        times = [self.ends_at]
        if self.joined_at is None:
            times.append(self.token_until + ALONE)
        if self.alone_since is not None:
            times.append(self.alone_since + ALONE)
        if self.awaits_agent:
            times.append(self.agent_changed_at + self.patience)
        return min(times)

    @property
    def awaits_agent(self) -> bool:
        """Whether an agent that does not come, or is lost, is yet to be dispatched again."""
        if self.agent_state == "joined" or self.dispatches >= MOST_DISPATCHES:
            return False
        return self.agent_state == "dispatched" or self.agent_outcome not in ("left", "completed")

    @property
    def patience(self) -> timedelta:
        """How long its agent may be away before another is dispatched.

        A worker that took the job also tells when it fails: so of one that did, word is awaited.
        """
        if self.agent_state == "left":
            return UNTOLD if self.agent_outcome in UNDECIDED else timedelta(0)
        is_taken = any(one.dispatch == self.dispatches for one in self.jobs)
        return UNTOLD if is_taken else GRACE

    @property
    def agent_outcome(self) -> Outcome | None:
        """What became of the agent that was in the room last, as far as anybody told."""
        return next((one.outcome for one in self.jobs if one.identity == self.agent_identity), None)

    @property
    def partition(self) -> str:
        return self.agent_name

    @property
    def key(self) -> str:
        return self.id


UNDECIDED = frozenset[Outcome | None]((None, "accepted", "joined"))
"""What is known of a job while nobody told how it went."""

MOST_DISPATCHES = 3
"""Times that an agent is dispatched in one session: at its start, and twice more."""


def starter_key(starter: PrincipalId, azp: str) -> str:
    """What all sessions of one starter have in common, and no other's."""
    return f"{starter.tid}:{starter.oid}:{azp}"
