"""What a start leaves on the trail."""

from lkps_core.audit.event import Event
from lkps_core.call import Call
from lkps_core.policy.decision import Decision
from lkps_core.sessions.model import Session
from lkps_core.tokens import IssuedToken


def authorized(
    call: Call,
    session: Session,
    token: IssuedToken,
    decision: Decision,
    reason: str | None = None,
) -> Event:
    """`would_deny` names the rule that report-only let pass."""
    return call.event(
        "session.authorized",
        reason=reason,
        agent_name=session.agent_name,
        session_id=session.id,
        room_name=session.room_name,
        participant_identity=session.participant_identity,
        token_sha256=token.sha256,
        token_expires_at=token.expires_at,
        rule=decision.rule,
        grant_id=decision.grant.id if decision.grant else None,
        would_deny=decision.would_deny,
    )


def abandoned(call: Call, session: Session, token: IssuedToken) -> Event:
    return call.event(
        "session.abandoned",
        "failed",
        reason="effect_failed",
        agent_name=session.agent_name,
        session_id=session.id,
        room_name=session.room_name,
        token_sha256=token.sha256,
    )
