"""Bodies of the audit trail: rows, checkpoints, receipts, holds."""

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from lkps_core.agents.names import agent_name_in, is_agent_name
from lkps_core.identity.authority import GUID
from lkps_core.wire.bodies import Answer, Body, Instant
from lkps_core.wire.grants import Reason
from lkps_core.wire.principals import PrincipalAnswer


def _day(text: str) -> str:
    try:
        is_day = str(date.fromisoformat(text)) == text
    except ValueError:
        is_day = False
    if not is_day:
        raise ValueError("must be a day: 2026-11-25")
    return text


def _subject(text: str) -> str:
    kind, _, value = text.partition(":")
    known = {
        "agent": is_agent_name(value),
        "application": bool(GUID.fullmatch(value)),
        "user": bool(GUID.fullmatch(value)),
        "session": agent_name_in(value) is not None,
    }
    if not known.get(kind):
        raise ValueError("must be agent:NAME, application:ID, user:ID or session:ID")
    return text


Day = Annotated[str, AfterValidator(_day)]


class AuditPage(Answer):
    rows: list[dict[str, Any]] = Field(description="In the order of time; as recorded.")
    next: str | None = Field(None, description="Give it as `after` to read on.")
    complete_until: str = Field(description="Rows younger than that may still be missing.")


class CheckpointAnswer(Answer):
    number: int
    note: str = Field(description="The signed checkpoint (c2sp.org/tlog-checkpoint).")


class CheckpointList(Answer):
    origin: str = Field(description="The trail's name.")
    key: str = Field(description="What verifies it: {name}+{key id}+{type and public key}.")
    last: int = Field(description="The number of the last checkpoint; 0 before the first.")
    checkpoints: list[CheckpointAnswer]


class Proof(Answer):
    place: int = Field(description="Of the row among all leaves of the tree.")
    path: list[str] = Field(description="From the leaf to the root, Base64 (RFC 6962).")
    checkpoint: str = Field(description="The signed checkpoint.")
    checkpoint_number: int


class SessionReceipt(Answer):
    session_id: str
    stream: str
    number: int
    row: str = Field(description="The row's own bytes, as text.")
    row_hash: str = Field(description="SHA-256 of a zero byte and the row, Base64.")
    proof: Proof | None = Field(None, description="There once a checkpoint covers the row.")
    key: str


class Reindex(Body):
    """UTC days, both included."""

    from_day: Day = Field(alias="from")
    to: Day
    reason: Reason


class Reindexed(Answer):
    streams: int = Field(description="Those that will be indexed anew.")


class PlaceHold(Body):
    subject: Annotated[str, AfterValidator(_subject)] = Field(
        description="`agent:…`, `application:…`, `user:…` or `session:…`"
    )
    reason: Reason


class LiftHold(Body):
    reason: Reason | None = None


class HoldAnswer(Answer):
    id: str
    subject: str
    reason: str
    placed_by: PrincipalAnswer
    placed_at: Instant


class HoldList(Answer):
    holds: list[HoldAnswer]
    next: str | None = Field(None, description="Give it as `after` to read on.")
