"""Invoking a function as the host does: with a trace, and with a log line when it failed."""

import asyncio
import logging
import time

from dev.functions_host.protocol import InvocationResponse, TypedData
from dev.functions_host.tracing import trace_parent
from dev.functions_host.worker import Function, Worker

_log = logging.getLogger("functions_host")


async def invoke(
    worker: Worker,
    function: Function,
    trigger_value: TypedData,
    incoming_trace_parent: str = "",
    incoming_trace_state: str = "",
) -> InvocationResponse:
    """An invocation is not ended by who waits for it: the host tells the worker nothing."""
    began = time.perf_counter()
    invocation = worker.invoke(
        function, trigger_value, trace_parent(incoming_trace_parent), incoming_trace_state
    )
    response = await asyncio.shield(invocation)
    if response.failure is not None:
        _log.error(
            "Executed 'Functions.%s' (Failed, Id=%s): %s\n%s",
            function.name,
            response.invocation_id,
            response.failure.message,
            response.failure.stack_trace,
        )
    elif _log.isEnabledFor(logging.DEBUG):
        _log.debug(
            "Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%.1fms)",
            function.name,
            response.invocation_id,
            1000 * (time.perf_counter() - began),
        )
    return response
