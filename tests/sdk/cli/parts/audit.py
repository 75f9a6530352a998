"""What LKPS takes and answers about its audit trail."""

from typing import Any

from pydantic import Field

from lkps_core.wire.bodies import Body, Word
from tests.sdk.cli.parts.answers import CLIENT, OWNER, TID, USER

Members = dict[str, Any]


class Reindex(Body):
    begin: Word = Field(alias="from")
    to: Word
    reason: Word


class PlaceHold(Body):
    subject: Word
    reason: Word


class LiftHold(Body):
    reason: Word


COMPLETE = "2026-11-24T10:00:00.000000Z"


def row(**changes: object) -> Members:
    """None takes a member out."""
    members: Members = {
        "schema": 1,
        "stream": "2026-11-24_a1",
        "number": 7,
        "application": "0.9.0",
        "at": "2026-11-24T09:00:07.000250Z",
        "action": "session.authorized",
        "outcome": "refused",
        "reason": "no_grant",
        "kind": "user",
        "tid": TID,
        "oid": USER,
        "azp": CLIENT,
        "agent_name": "concierge",
        "session_id": "concierge--1",
    }
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def rows(*found: Members, **more: str) -> Members:
    return {"rows": list(found), "complete_until": COMPLETE, **more}


def hold(**changes: object) -> Members:
    members: Members = {
        "id": "hold-1",
        "subject": "agent:concierge",
        "reason": "the inquiry of November",
        "placed_by": {"tid": TID, "oid": OWNER},
        "placed_at": "2026-11-24T09:00:00Z",
    }
    return {**members, **changes}
