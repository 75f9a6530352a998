"""What is left on the trail of a session: each row names it alike."""

from typing import Any

from lkps_core.audit.event import Event
from lkps_core.call import Account, Call
from lkps_core.policy.decision import Decision
from lkps_core.sessions.guests import Invitation
from lkps_core.sessions.model import Session
from lkps_core.tokens import IssuedToken
from lkps_trail.checkpoint import instant


def of(session: Session) -> dict[str, Any]:
    """The members that say which session a row is about."""
    return {
        "agent_name": session.agent_name,
        "session_id": session.id,
        "room_name": session.room_name,
    }


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
        **of(session),
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
        **of(session),
        after={
            "invitation_sha256": invitation.sha256,
            "expires_at": instant(invitation.expires_at),
        },
    )


def abandoned(
    account: Account,
    session: Session,
    *,
    token: IssuedToken | None = None,
    rule: str | None = None,
) -> Event:
    """`token` is the one that never left, where it is still known."""
    return account.event(
        "session.abandoned",
        "failed",
        reason="effect_failed",
        **of(session),
        token_sha256=token.sha256 if token else None,
        rule=rule,
    )
