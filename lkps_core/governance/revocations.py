"""Revocations in and out: what a body blocks, and what is said of a block."""

from dataclasses import replace
from typing import Any

from lkps_core.agents.names import agent_name_in
from lkps_core.call import Call
from lkps_core.errors import BodyInvalid, WouldBlockYourself
from lkps_core.policy.model import (
    Revocation,
    agent_subject,
    application_subject,
    session_subject,
    user_subject,
)
from lkps_core.wire.principals import PrincipalAnswer
from lkps_core.wire.revocations import RevocationAnswer, Revoke


def new_revocation(call: Call, request: Revoke) -> Revocation:
    """Raise WouldBlockYourself, and BodyInvalid for what cannot be blocked."""
    if request.until is not None and request.until <= call.at:
        raise BodyInvalid(
            [{"pointer": "/until", "code": "in_the_past", "detail": "must be in the future"}]
        )
    subject = _subject(call, request)
    _refuse_blocking_oneself(call, subject)
    return Revocation(
        subject=subject,
        reason=request.reason,
        blocked_by=call.caller.id,
        blocked_at=call.at,
        until=request.until,
    )


def lengthened(wanted: Revocation, there: Revocation) -> Revocation:
    """The wanted block with the later end: nobody shortens unknowingly what another decided."""
    if not there.holds(wanted.blocked_at):
        return wanted
    if wanted.until is None or there.until is None:
        return replace(wanted, until=None)
    return replace(wanted, until=max(wanted.until, there.until))


def _subject(call: Call, request: Revoke) -> str:
    if request.agent_name is not None:
        return agent_subject(request.agent_name)
    if request.client_app_id is not None:
        return application_subject(call.caller.tid, request.client_app_id)
    if request.user_oid is not None:
        return user_subject(call.caller.tid, request.user_oid)
    if request.session_id is None or agent_name_in(request.session_id) is None:
        raise BodyInvalid(
            [{"pointer": "/session_id", "code": "session_id", "detail": "must be a session's id"}]
        )
    return session_subject(request.session_id)


def _refuse_blocking_oneself(call: Call, subject: str) -> None:
    """Neither the admin nor the application that they use: then nobody there could lift it."""
    caller = call.caller
    own = (application_subject(caller.tid, caller.azp), user_subject(caller.tid, caller.oid))
    if subject in own:
        raise WouldBlockYourself


def agent_named_in(revocation: Revocation) -> str | None:
    if revocation.kind == "agent":
        return revocation.subject_id
    return agent_name_in(revocation.subject_id) if revocation.kind == "session" else None


def terms_of_revocation(revocation: Revocation) -> dict[str, object]:
    until = revocation.until
    return {"reason": revocation.reason, "until": until.isoformat() if until else None}


def members_of(revocation: Revocation) -> dict[str, Any]:
    by = revocation.blocked_by
    return {
        "revocation_id": revocation.subject,
        "kind": revocation.kind,
        "subject": revocation.subject_id,
        "reason": revocation.reason,
        "blocked_by": PrincipalAnswer(tid=by.tid, oid=by.oid),
        "blocked_at": revocation.blocked_at,
        "until": revocation.until,
    }


def revocation_answer(revocation: Revocation) -> RevocationAnswer:
    return RevocationAnswer.model_validate(members_of(revocation))
