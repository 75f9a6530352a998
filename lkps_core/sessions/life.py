"""The session's state machine: `created → joined → ended`, and that of its agent.

The agent is `dispatched → joined → left`, from where it may be dispatched again. Nothing here does
anything: what LiveKit shows and what the worker tells goes in, the session as it is then comes out.
Whoever saw it first, in whichever order and however often, the session is the same in the end:
of what is told about a job the weightiest counts, and who is in the room is always looked at anew.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from lkps_core.ports import RoomParticipant, RoomView
from lkps_core.sessions.model import (
    ALONE,
    MOST_DISPATCHES,
    Cause,
    Job,
    Outcome,
    Session,
)

SETTLED = timedelta(seconds=10)
"""The age from which a session whose room is gone is over: its start has had its effects."""

MOST_JOBS = 8
"""Jobs that are told apart: more than LKPS dispatches, with those of a rotation."""

type Want = Literal["did_not_come", "failed", "vanished"]

_WEIGHT: dict[Outcome, int] = {
    "accepted": 0,
    "joined": 1,
    "left": 2,
    "vanished": 3,
    "failed": 4,
    "completed": 5,
}


def told(session: Session, job: Job) -> Session:
    """The session with what is told of a job, unless something weightier is known of it."""
    known = {one.identity: one for one in session.jobs}
    before = known.get(job.identity, replace(job, dispatch=session.dispatches))
    merged = _weightier(before, job)
    if known.get(job.identity) == merged:
        return session
    known[job.identity] = merged
    return replace(session, jobs=tuple(known.values())[-MOST_JOBS:])


def _weightier(before: Job, job: Job) -> Job:
    heavier = before if _WEIGHT[before.outcome] >= _WEIGHT[job.outcome] else job
    registration_id = before.registration_id or job.registration_id
    return replace(heavier, dispatch=before.dispatch, registration_id=registration_id)


def joined(session: Session, at: datetime) -> Session:
    """A person came into the room at that time; of several, the first counts.

    It may be told after the end, which then has another cause.
    """
    first = at if session.joined_at is None else min(at, session.joined_at)
    if first == session.joined_at:
        return session
    cause = "everyone_left" if session.cause == "nobody_joined" else session.cause
    return replace(session, joined_at=first, cause=cause)


def claimed(session: Session) -> frozenset[str]:
    """The identities of jobs that an instance of the agent said it took, of the last dispatch."""
    return frozenset(
        one.identity
        for one in session.jobs
        if one.registration_id is not None and one.dispatch == session.dispatches
    )


def seen(session: Session, view: RoomView, own: Collection[str], now: datetime) -> Session:
    """The session as its standing room shows it; `own` are the identities of its own jobs.

    An agent that is not among them counts for one as long as there is no other: LiveKit may tell
    for some seconds of nobody who took a job.
    """
    after = _people_seen(session, view, now)
    agents = _present(after, view, own) or _present(after, view, foreign(view, own))
    if agents:
        return _with_agent(after, agents[0], now)
    if after.agent_state == "joined":
        return replace(after, agent_state="left", agent_since=now)
    gone = _came_and_went(after)
    if after.agent_state == "dispatched" and gone is not None:
        return replace(after, agent_state="left", agent_identity=gone, agent_since=now)
    return after


def foreign(view: RoomView, own: Collection[str]) -> Sequence[str]:
    """The identities of agents in the room that are not known to be jobs of its session."""
    return [one.identity for one in view.agents if one.identity not in own]


def surplus(session: Session, view: RoomView, own: Collection[str]) -> Sequence[str]:
    """The identities of own agents beside the one that came first."""
    return [one.identity for one in _present(session, view, own)[1:]]


def over(session: Session, view: RoomView | None, now: datetime) -> Cause | None:
    """Why the session is over, if it is; `view` is None when LiveKit has no such room."""
    if now >= session.ends_at:
        return "time_over"
    if view is None:
        return _emptied(session) if now - session.created_at >= SETTLED else None
    if view.people:
        return None
    if session.joined_at is None:
        return "nobody_joined" if now >= session.token_until + ALONE else None
    since = session.alone_since
    return "everyone_left" if since is not None and now - since >= ALONE else None


def wanted(session: Session, view: RoomView, now: datetime) -> Want | None:
    """Why the agent is to be dispatched again, as the session stands after it was `seen`.

    Never after a normal end, nor once everybody has left; and while nobody told how an agent went,
    not at once: its worker may be about to say so.
    """
    if session.joined_at is not None and not view.people:
        return None
    if session.agent_state == "joined" or session.dispatches >= MOST_DISPATCHES:
        return None
    is_over = now - session.agent_changed_at >= session.patience
    if session.agent_state == "dispatched":
        of_this = [one for one in session.jobs if one.dispatch == session.dispatches]
        if any(one.outcome == "failed" for one in of_this):
            return "failed"
        return "did_not_come" if is_over else None
    outcome = session.agent_outcome
    if outcome == "failed":
        return "failed"
    if outcome in ("left", "completed"):
        return None
    return "vanished" if is_over else None


def dispatched(session: Session, now: datetime, claim: str) -> Session:
    """Another agent is on its way; of the one before it is remembered that it was."""
    if session.agent_identity is not None:
        session = told(session, Job(session.agent_identity, "accepted"))
    return replace(
        session,
        claim=claim,
        agent_state="dispatched",
        agent_identity=None,
        agent_since=now,
        dispatches=session.dispatches + 1,
    )


def closing(session: Session, cause: Cause, now: datetime, claim: str) -> Session:
    """On its way to its end: the room goes next."""
    return replace(session, state="ending", ended_at=now, cause=cause, claim=claim)


def _emptied(session: Session) -> Cause:
    """LiveKit closes a room that nobody joined in time, or that everybody has left."""
    return "nobody_joined" if session.joined_at is None else "everyone_left"


def _people_seen(session: Session, view: RoomView, now: datetime) -> Session:
    if view.people:
        first = joined(session, min(one.joined_at for one in view.people))
        return first if first.alone_since is None else replace(first, alone_since=None)
    if session.joined_at is not None and session.alone_since is None:
        return replace(session, alone_since=now)
    return session


def _present(session: Session, view: RoomView, among: Collection[str]) -> list[RoomParticipant]:
    """Those of the session's agents that are in the room, in the order in which they came.

    LiveKit lists one whose process was killed for 20 s: its worker's word says that it is gone. So
    are those of earlier dispatches.
    """
    gone = {
        one.identity
        for one in session.jobs
        if one.outcome in ("failed", "completed") or one.dispatch < session.dispatches
    }
    there = [one for one in view.agents if one.identity in among and one.identity not in gone]
    return sorted(there, key=lambda one: (one.joined_at, one.identity))


def _came_and_went(session: Session) -> str | None:
    """The agent of the last dispatch that was in the room, as others tell, and is not there."""
    of_this = [one for one in session.jobs if one.dispatch == session.dispatches]
    came = [one.identity for one in of_this if one.outcome not in ("accepted", "failed")]
    return came[-1] if came else None


def _with_agent(session: Session, agent: RoomParticipant, now: datetime) -> Session:
    if session.agent_state == "joined" and session.agent_identity == agent.identity:
        return session
    return replace(session, agent_state="joined", agent_identity=agent.identity, agent_since=now)
