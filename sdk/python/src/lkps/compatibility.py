"""Compatibility: whether this livekit-agents still works the way `lkps.AgentServer` relies on."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import CodeType
from typing import Any

from livekit.agents import AgentServer, __version__
from livekit.agents.ipc.job_proc_lazy_main import _JobProc
from livekit.agents.ipc.proc_pool import ProcPool

from lkps.endings import SHUTDOWN_BY_WORKER
from lkps.errors import ConfigurationError
from lkps.fitting import NEEDED

_OF_SERVER = {
    "__init__": {"_ws_url", "_api_key", "_api_secret", "_deployment", "_entrypoint_fnc"},
    "run": {
        "_http_session",
        "_conn_task",
        "_close_future",
        "_reserved_slots",
        "_proc_pool",
        "_entrypoint_fnc",
    },
    "aclose": {"_conn_task", "_proc_pool"},
    "_answer_availability": {"_proc_pool", "launch_job"},
    "_connection_task": {
        "_http_session",
        "ws_connect",
        "_ws_url",
        "_api_key",
        "_api_secret",
        "_deployment",
    },
}
_OF_POOL = {"_monitor_process_task": {"join", "emit", "process_closed"}}
_OF_JOB = {
    "entrypoint": {SHUTDOWN_BY_WORKER},
    "_run_job_task": {"_job_entrypoint_fnc"},
}


def require_compatible(server: type[AgentServer] = AgentServer) -> None:
    """Reads what its methods use: a change is a clear error, not a worker without jobs."""
    gone = sorted(
        [*_gone(server, _OF_SERVER), *_gone(ProcPool, _OF_POOL), *_gone(_JobProc, _OF_JOB)]
    )
    if gone:
        raise ConfigurationError(
            f"livekit-agents {__version__} does not fit this version of lkps-sdk:"
            f" install livekit-agents{NEEDED} (not found: {', '.join(gone)})"
        )


def _gone(kind: type, relied_on: Mapping[str, set[str]]) -> Iterator[str]:
    for method, used in relied_on.items():
        for one in used - _used_by(getattr(kind, method, None)):
            yield f"{method}:{one}"


def _used_by(method: Callable[..., Any] | None) -> set[str]:
    return set() if method is None else _used_in(inspect.unwrap(method).__code__)


def _used_in(code: CodeType) -> set[str]:
    """Names and texts, those of the functions within too."""
    texts = {one for one in code.co_consts if isinstance(one, str)}
    inner = [_used_in(one) for one in code.co_consts if isinstance(one, CodeType)]
    return texts.union(code.co_names, *inner)
