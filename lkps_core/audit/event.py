"""What a row of the trail says: ids, decisions and people's reasons, never a token or a secret."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from lkps_core.identity.principal import Principal
from lkps_trail.canonical import canonical
from lkps_trail.checkpoint import instant

type Action = Literal[
    "agent.claimed",
    "agent.assigned",
    "agent.registered",
    "agent.renewed",
    "agent.deregistered",
    "agent.lapsed",
    "agent.changed",
    "agent.rotated",
    "grant.created",
    "grant.changed",
    "grant.removed",
    "revocation.created",
    "revocation.changed",
    "revocation.lifted",
    "revocation.expired",
    "limits.changed",
    "policy.applied",
    "platform.swept",
    "platform.checked",
    "session.authorized",
    "session.invited",
    "session.abandoned",
    "session.dispatched",
    "session.job_ended",
    "session.agent_removed",
    "session.room_removed",
    "session.ended",
    "audit.read",
    "audit.exported",
    "audit.reindexed",
    "audit.expired",
    "hold.placed",
    "hold.lifted",
    "request.refused",
]
type Outcome = Literal["success", "refused", "failed"]

SCHEMA = 1
"""The version of the row's members; a reader that meets another one must know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that was done or refused. A member that does not apply is None and left out.

    `before` and `after` have the members that a change concerns, `comment` is its author's reason.
    `would_deny` is the rule that report-only let pass. `count`, `first_at` and `last_at` belong to
    counted rows, which stand for repeats.
    """

    at: datetime
    action: Action
    outcome: Outcome
    reason: str | None = None
    operation: str | None = None
    kind: str | None = None
    tid: str | None = None
    oid: str | None = None
    azp: str | None = None
    uti: str | None = None
    agent_name: str | None = None
    registration_id: str | None = None
    session_id: str | None = None
    room_name: str | None = None
    participant_identity: str | None = None
    token_sha256: str | None = None
    token_expires_at: datetime | None = None
    routing_version: int | None = None
    beat_id: str | None = None
    rule: str | None = None
    grant_id: str | None = None
    would_deny: str | None = None
    subject: str | None = None
    comment: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    request_id: str | None = None
    inbound_request_id: str | None = None
    count: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None


def actor(caller: Principal | None) -> dict[str, Any]:
    """The members that say who; none for whoever did not authenticate."""
    if caller is None:
        return {}
    return {name: getattr(caller, name) for name in ("kind", "tid", "oid", "azp", "uti")}


_MEMBERS = tuple(member.name for member in fields(Event))


def row_bytes(event: Event, *, stream: str, number: int, application: str) -> bytes:
    """The row's bytes, which say where in the trail it is."""
    row: dict[str, object] = {
        "schema": SCHEMA,
        "stream": stream,
        "number": number,
        "application": application,
    }
    for name in _MEMBERS:
        value = getattr(event, name)
        if value is not None:
            row[name] = instant(value) if isinstance(value, datetime) else value
    return canonical(row)
