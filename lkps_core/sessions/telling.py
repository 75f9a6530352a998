"""What callers are told of a session."""

from collections.abc import Sequence

from lkps_core.sessions.model import Job, Session
from lkps_core.tokens import IssuedToken
from lkps_core.wire.sessions import AgentJob, AgentStatus, SessionAnswer, SessionStarted


def token_answer[A: SessionStarted](
    kind: type[A],
    livekit_url: str,
    session: Session,
    identity: str,
    token: IssuedToken,
    agent_status: AgentStatus,
) -> A:
    """What joins the session's room, and where that is."""
    return kind(
        participant_token=token.text,
        server_url=livekit_url,
        livekit_url=livekit_url,
        room_name=session.room_name,
        session_id=session.id,
        participant_identity=identity,
        agent_status=agent_status,
        expires_at=token.expires_at,
    )


def session_answer(
    session: Session, identity: str, agent_status: AgentStatus, *, with_jobs: bool
) -> SessionAnswer:
    """`identity` is the caller's in the room, if it has one, or else the starter's."""
    told = (one.outcome for one in session.jobs)
    lost = [outcome for outcome in told if outcome != "accepted" and outcome != "joined"]
    return SessionAnswer(
        session_id=session.id,
        agent_name=session.agent_name,
        room_name=session.room_name,
        participant_identity=identity,
        state=session.phase,
        agent_status=agent_status,
        agent_dispatches=session.dispatches,
        agent_outcome=lost[-1] if lost else None,
        created_at=session.created_at,
        joined_at=session.joined_at,
        ends_at=session.ends_at,
        ended_at=session.ended_at,
        cause=session.cause,
        agent_jobs=_jobs(session.jobs) if with_jobs and session.jobs else None,
    )


def _jobs(jobs: Sequence[Job]) -> list[AgentJob]:
    return [
        AgentJob(
            participant_identity=one.identity,
            outcome=one.outcome,
            reason=one.reason,
            registration_id=one.registration_id,
        )
        for one in jobs
    ]
