"""Grants in and out: their bodies, what the trail and the policy file say of them."""

from datetime import UTC, datetime
from typing import Any

from lkps_core.call import Call
from lkps_core.policy.model import Grant, Scope, grant_id
from lkps_core.preconditions import etag_of
from lkps_core.wire.grants import CreateGrant, GrantAnswer, GrantTerms
from lkps_core.wire.principals import PrincipalAnswer


def scope_of(terms: GrantTerms) -> tuple[Scope, str | None]:
    if terms.any_user:
        return "any_user", None
    if terms.group_id is not None:
        return "group", terms.group_id
    if terms.user_oid is not None:
        return "user", terms.user_oid
    return "application", None


def id_of_terms(tid: str, terms: GrantTerms) -> str:
    return grant_id(tid, terms.client_app_id, *scope_of(terms))


def new_grant(call: Call, agent_name: str, terms: CreateGrant) -> Grant:
    scope, scope_id = scope_of(terms)
    return Grant(
        id=id_of_terms(call.caller.tid, terms),
        agent_name=agent_name,
        tid=call.caller.tid,
        client_app_id=terms.client_app_id,
        scope=scope,
        scope_id=scope_id,
        reason=terms.reason,
        granted_by=call.caller.id,
        granted_at=call.at,
        expires_at=terms.expires_at,
        max_sessions=terms.max_sessions,
        max_session_seconds=terms.max_session_seconds,
        report_only=terms.report_only,
    )


def terms_of(grant: Grant) -> dict[str, Any]:
    """What people decide about a grant, in the form of the policy file, absent members left out."""
    expires_at = grant.expires_at and grant.expires_at.astimezone(UTC)
    terms = {
        "client_app_id": grant.client_app_id,
        "any_user": grant.scope == "any_user" or None,
        "group_id": grant.scope_id if grant.scope == "group" else None,
        "user_oid": grant.scope_id if grant.scope == "user" else None,
        "expires_at": expires_at and instant(expires_at),
        "max_sessions": grant.max_sessions,
        "max_session_seconds": grant.max_session_seconds,
        "report_only": grant.report_only or None,
        "reason": grant.reason,
    }
    return {name: value for name, value in terms.items() if value is not None}


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond where there is any."""
    text = at.astimezone(UTC).isoformat()
    return text.removesuffix("+00:00") + "Z"


def grant_etag(grant: Grant) -> str:
    return etag_of(terms_of(grant))


def grant_answer(grant: Grant, now: datetime) -> GrantAnswer:
    return GrantAnswer(
        grant_id=grant.id,
        agent_name=grant.agent_name,
        client_app_id=grant.client_app_id,
        scope=grant.scope,
        group_id=grant.scope_id if grant.scope == "group" else None,
        user_oid=grant.scope_id if grant.scope == "user" else None,
        expires_at=grant.expires_at,
        max_sessions=grant.max_sessions,
        max_session_seconds=grant.max_session_seconds,
        report_only=grant.report_only,
        reason=grant.reason,
        granted_by=PrincipalAnswer(tid=grant.granted_by.tid, oid=grant.granted_by.oid),
        granted_at=grant.granted_at,
        expired=grant.has_expired(now),
    )
