"""What a decision is made of: grants, blocks, the platform's limits, and the sessions in use."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from lkps_core.identity.principal import Principal, PrincipalId

type Scope = Literal["application", "any_user", "group", "user"]
type SubjectKind = Literal["agent", "application", "user", "session"]


@dataclass(frozen=True, slots=True)
class Grant:
    """A client application may call an agent: itself, or people signed in through it.

    `scope` says for whom, and `scope_id` which group or user. There is one grant for each agent,
    application and scope: its id follows from them (`grant_id`).
    """

    id: str
    agent_name: str
    tid: str
    client_app_id: str
    scope: Scope
    scope_id: str | None
    reason: str
    granted_by: PrincipalId
    granted_at: datetime
    expires_at: datetime | None = None
    max_sessions: int | None = None
    max_session_seconds: int | None = None
    report_only: bool = False

    @property
    def partition(self) -> str:
        return self.agent_name

    @property
    def key(self) -> str:
        return self.id

    def has_expired(self, now: datetime) -> bool:
        """A grant ends at its instant."""
        return self.expires_at is not None and now >= self.expires_at


def grant_id(tid: str, client_app_id: str, scope: Scope, scope_id: str | None) -> str:
    """Those of one application begin alike, so one range holds them and no other's."""
    digest = hashlib.sha256(f"{scope}:{scope_id or ''}".encode()).hexdigest()
    return f"{tid}:{client_app_id}:{digest[:26]}"


@dataclass(frozen=True, slots=True)
class Revocation:
    """A block of an agent, an application, a user or a session; `subject` names it."""

    subject: str
    reason: str
    blocked_by: PrincipalId
    blocked_at: datetime
    until: datetime | None = None

    @property
    def partition(self) -> str:
        return "revocation"

    @property
    def key(self) -> str:
        return self.subject

    @property
    def kind(self) -> SubjectKind:
        kind: SubjectKind = self.subject.partition(":")[0]  # type: ignore[assignment]
        return kind

    @property
    def subject_id(self) -> str:
        """The agent's name, or the id of the application, user or session."""
        return self.subject.rpartition(":")[2]

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


def agent_subject(name: str) -> str:
    return f"agent:{name}"


def application_subject(tid: str, azp: str) -> str:
    return f"application:{tid}:{azp}"


def user_subject(tid: str, oid: str) -> str:
    return f"user:{tid}:{oid}"


def session_subject(session_id: str) -> str:
    return f"session:{session_id}"


class Blocks:
    """Every block there is, by subject."""

    __slots__ = ("_by_subject",)

    def __init__(self, revocations: Iterable[Revocation] = ()) -> None:
        self._by_subject = {one.subject: one for one in revocations}

    def blocks(self, subject: str, now: datetime) -> bool:
        block = self._by_subject.get(subject)
        return block is not None and block.holds(now)

    def block_of(self, caller: Principal, now: datetime) -> SubjectKind | None:
        """As what the caller itself is blocked: its application, or who it is.

        An application's own principal can be blocked by its object id, as a user can.
        """
        if not self._by_subject:
            return None
        if self.blocks(application_subject(caller.tid, caller.azp), now):
            return "application"
        if self.blocks(user_subject(caller.tid, caller.oid), now):
            return "user"
        return None


@dataclass(frozen=True, slots=True)
class PlatformLimits:
    """Limits for everyone. `None` is no limit; starts are counted in each process by itself."""

    starts_per_minute_per_application: int = 1200
    starts_per_minute_per_user: int = 60
    max_sessions_per_agent: int | None = None
    max_session_seconds: int | None = None

    @property
    def partition(self) -> str:
        return "platform"

    @property
    def key(self) -> str:
        return "limits"


@dataclass(frozen=True, slots=True)
class Usage:
    """Open sessions of one agent, in all and by the grant that they were started under."""

    of_agent: int = 0
    of_grants: Mapping[str, int] = field(default_factory=dict[str, int])
