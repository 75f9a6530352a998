"""LKPS for agents: run a livekit-agents server with an Entra ID identity, without a LiveKit key."""

from typing import TYPE_CHECKING

from lkps.errors import ConfigurationError, CredentialError, LkpsError, Refused, Unavailable

if TYPE_CHECKING:
    from lkps.agent_server import AgentServer

__all__ = [
    "AgentServer",
    "ConfigurationError",
    "CredentialError",
    "LkpsError",
    "Refused",
    "Unavailable",
]


def __getattr__(name: str) -> object:
    if name != "AgentServer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lkps.agent_server import AgentServer

    globals()[name] = AgentServer  # asked once: livekit-agents takes a second to import
    return AgentServer
