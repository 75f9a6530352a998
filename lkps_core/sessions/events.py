"""What starts, and those who join later, leave on the trail."""

from lkps_core.audit.event import Event
from lkps_core.call import Call
from lkps_core.policy.decision import Decision
from lkps_core.sessions.guests import Invitation
from lkps_core.sessions.model import Session
from lkps_core.tokens import IssuedToken
from lkps_trail.checkpoint import instant


def authorized(
    call: Call,
    session: Session,
    identity: str,
    token: IssuedToken,
    decision: Decision,
    *,
    reason: str | None = None,
    used: Invitation | None = None,
) -> Event:
    """`identity` is the participant's whom the token joins; `used` the invitation that is gone.

    `would_deny` names the rule that report-only let pass.
    """
    return call.event(
        "session.authorized",
        reason=reason,
        agent_name=session.agent_name,
        session_id=session.id,
        room_name=session.room_name,
        participant_identity=identity,
        token_sha256=token.sha256,
        token_expires_at=token.expires_at,
        rule=decision.rule,
        grant_id=decision.grant.id if decision.grant else None,
        would_deny=decision.would_deny,
        before={"invitation_sha256": used.sha256} if used else None,
    )


def invited(call: Call, session: Session, invitation: Invitation) -> Event:
    return call.event(
        "session.invited",
        agent_name=session.agent_name,
        session_id=session.id,
        room_name=session.room_name,
        after={
            "invitation_sha256": invitation.sha256,
            "expires_at": instant(invitation.expires_at),
        },
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
