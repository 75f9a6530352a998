"""Compatibility: whether this livekit-agents still works the way `lkps.AgentServer` relies on."""

import inspect
from collections.abc import Callable
from typing import Any

from livekit.agents import AgentServer, __version__

from lkps.errors import ConfigurationError

_RELIED_ON = {
    "__init__": {"_ws_url", "_api_key", "_api_secret", "_deployment"},
    "run": {"_http_session", "_conn_task", "_close_future", "_reserved_slots"},
    "aclose": {"_conn_task"},
    "_connection_task": {
        "_http_session",
        "ws_connect",
        "_ws_url",
        "_api_key",
        "_api_secret",
        "_deployment",
    },
}


def require_compatible(server: type[AgentServer] = AgentServer) -> None:
    """Reads which members its methods use: a change is a clear error, not a worker without jobs."""
    gone = sorted(
        f"{method}:{member}"
        for method, members in _RELIED_ON.items()
        for member in members - _members_used(getattr(server, method, None))
    )
    if gone:
        raise ConfigurationError(
            f"livekit-agents {__version__} does not fit this version of lkps-sdk:"
            f" install livekit-agents>=1.6,<1.9 (not found: {', '.join(gone)})"
        )


def _members_used(method: Callable[..., Any] | None) -> set[str]:
    if method is None:
        return set()
    return set(inspect.unwrap(method).__code__.co_names)
