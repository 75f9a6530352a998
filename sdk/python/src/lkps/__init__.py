"""LKPS for agents: run a livekit-agents server with an Entra ID identity, without a LiveKit key."""

from importlib import import_module
from typing import TYPE_CHECKING

from lkps.errors import ConfigurationError, CredentialError, LkpsError, Refused, Unavailable

if TYPE_CHECKING:
    from lkps.agent_server import AgentServer
    from lkps.callers import Caller, caller
    from lkps.sessions import Session, session

__all__ = [
    "AgentServer",
    "Caller",
    "ConfigurationError",
    "CredentialError",
    "LkpsError",
    "Refused",
    "Session",
    "Unavailable",
    "caller",
    "session",
]

_WITH_LIVEKIT = {
    "AgentServer": "lkps.agent_server",
    "Caller": "lkps.callers",
    "Session": "lkps.sessions",
    "caller": "lkps.callers",
    "session": "lkps.sessions",
}


def __getattr__(name: str) -> object:
    if name not in _WITH_LIVEKIT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_WITH_LIVEKIT[name]), name)
    globals()[name] = value  # asked once: livekit-agents takes a second to import
    return value
