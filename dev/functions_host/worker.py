"""The worker: the real worker library, driven in this process through its own messages."""

import asyncio
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import uuid4

from dev.functions_host.protocol import PROTOS, InvocationResponse, ParameterBinding, TypedData

_NO_RETRY = SimpleNamespace(retry_count=0, max_retry_count=0, exception=None)


class WorkerError(Exception):
    """The worker refused an app; the message is the worker's, with its stack trace."""


@dataclass(frozen=True, slots=True)
class Function:
    """An indexed function and its trigger's binding, as `function.json` would spell it."""

    name: str
    function_id: str
    trigger: dict[str, Any]

    @property
    def is_http(self) -> bool:
        return bool(self.trigger["type"] == "httpTrigger")

    @property
    def is_timer(self) -> bool:
        return bool(self.trigger["type"] == "timerTrigger")


class Worker:
    """One in a process: the library keeps its registry of functions in module globals."""

    def __init__(self, app_dir: Path) -> None:
        self._app_dir = app_dir
        self._library: ModuleType  # from start on
        self._running: set[asyncio.Task[InvocationResponse]] = set()

    async def start(self) -> tuple[Function, ...]:
        """Imports the app and indexes its functions; raises WorkerError."""
        sys.path.insert(0, str(self._app_dir))
        os.chdir(self._app_dir)
        import azure_functions_runtime as library  # type: ignore[import-untyped]

        self._library = library
        library.start_threadpool_executor()
        init = await self._call(
            "worker_init_request", capabilities={}, function_app_directory=str(self._app_dir)
        )
        _require_success(init)
        if "HttpUri" in init.capabilities:
            raise WorkerError("HTTP streaming extensions are not supported by this host")
        listing = await self._call("functions_metadata_request")
        rows = listing.function_metadata_results
        if not rows:
            raise WorkerError(f"no functions found in {self._app_dir}")
        return tuple([await self._load(row) for row in rows])

    def invoke(
        self, function: Function, trigger_value: TypedData, trace_parent: str, trace_state: str = ""
    ) -> asyncio.Task[InvocationResponse]:
        """One task for each invocation, as in production: context variables stay in it."""
        invocation = asyncio.create_task(
            self._call(
                "invocation_request",
                invocation_id=str(uuid4()),
                function_id=function.function_id,
                trigger_metadata={},
                input_data=(ParameterBinding(function.trigger["name"], trigger_value),),
                trace_context=SimpleNamespace(
                    trace_parent=trace_parent, trace_state=trace_state, attributes={}
                ),
                retry_context=_NO_RETRY,
            )
        )
        self._running.add(invocation)
        invocation.add_done_callback(self._running.discard)
        return invocation

    async def finish(self, seconds: float) -> None:
        """Waits for what is running, at most so long."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    def stop(self) -> None:
        """Blocks until the threads of functions that are not coroutines are done."""
        self._library.stop_threadpool_executor()

    async def _load(self, row: SimpleNamespace) -> Function:
        loaded = await self._call(
            "function_load_request", function_id=row.function_id, metadata=row
        )
        _require_success(loaded)
        return Function(row.name, row.function_id, _trigger(row.raw_bindings))

    async def _call(self, verb: str, **fields: object) -> Any:  # noqa: ANN401 - the border to untyped code
        message = SimpleNamespace(
            name=verb,
            request=SimpleNamespace(**{verb: SimpleNamespace(**fields)}),
            properties={"protos": PROTOS, "host": "127.0.0.1"},
        )
        return await getattr(self._library, verb)(message)


def _trigger(raw_bindings: Iterable[str]) -> dict[str, Any]:
    bindings: list[dict[str, Any]] = [json.loads(raw) for raw in raw_bindings]
    return next(binding for binding in bindings if binding["type"].endswith("Trigger"))


def _require_success(response: SimpleNamespace) -> None:
    if response.result.status != PROTOS.StatusResult.Success:
        failure = response.result.exception
        raise WorkerError(f"{failure.message}\n{failure.stack_trace}")
