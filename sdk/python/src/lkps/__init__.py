"""LKPS for agents and those who call them: an Entra ID identity instead of a LiveKit key."""

from importlib import import_module
from typing import TYPE_CHECKING

from lkps.errors import (
    AgentNotCallable,
    AgentOffline,
    CallerBlocked,
    ConfigurationError,
    CredentialError,
    EditedMeanwhile,
    InvitationInvalid,
    KeyReused,
    LkpsError,
    PermissionLacking,
    RateLimited,
    Refused,
    SessionEnded,
    SessionNotFound,
    TooManyGuests,
    TooManyInvitations,
    TooManySessions,
    Unavailable,
)

if TYPE_CHECKING:
    from lkps.agent_server import AgentServer
    from lkps.callers import Caller, caller
    from lkps.session_answers import Invitation, SessionStatus, StartedSession
    from lkps.session_client import SessionClient
    from lkps.sessions import Session, session

__all__ = [
    "AgentNotCallable",
    "AgentOffline",
    "AgentServer",
    "Caller",
    "CallerBlocked",
    "ConfigurationError",
    "CredentialError",
    "EditedMeanwhile",
    "Invitation",
    "InvitationInvalid",
    "KeyReused",
    "LkpsError",
    "PermissionLacking",
    "RateLimited",
    "Refused",
    "Session",
    "SessionClient",
    "SessionEnded",
    "SessionNotFound",
    "SessionStatus",
    "StartedSession",
    "TooManyGuests",
    "TooManyInvitations",
    "TooManySessions",
    "Unavailable",
    "caller",
    "session",
]

_WHEN_ASKED_FOR = {
    "AgentServer": "lkps.agent_server",
    "Caller": "lkps.callers",
    "Invitation": "lkps.session_answers",
    "Session": "lkps.sessions",
    "SessionClient": "lkps.session_client",
    "SessionStatus": "lkps.session_answers",
    "StartedSession": "lkps.session_answers",
    "caller": "lkps.callers",
    "session": "lkps.sessions",
}


def __getattr__(name: str) -> object:
    if name not in _WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_WHEN_ASKED_FOR[name]), name)
    globals()[name] = (
        value  # once: livekit-agents takes a second to import, aiohttp and msal a third of one
    )
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
