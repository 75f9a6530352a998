"""The host's process: starts the worker, listens once the functions are indexed, stops cleanly.

How it ends. In production SIGTERM reaches the host, which takes no new requests, lets those in
flight finish, and then kills the worker process with SIGKILL: the Python worker does not declare
the capability `HandlesWorkerTerminateMessage`, without which the host asks nobody
(GrpcWorkerChannel and WorkerProcess in the host's sources). So an app has no shutdown hook at all
there: `atexit` functions and `finally` blocks of background tasks do not run, and nothing that must
happen may wait for them. The worker library offers `stop_threadpool_executor` only.

Here SIGTERM or SIGINT closes the listening socket; requests, timers and firings in flight have
GRACE_SECONDS to finish; then background tasks are cancelled and the interpreter exits with status
0. That is kinder than production, for the sake of coverage and debuggers. Whatever outlives the
grace is killed where it stands, as in production, also with status 0.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response
from aiohttp.web_server import Server

from dev.functions_host import admin
from dev.functions_host.configuration import HostConfiguration
from dev.functions_host.invocations import invoke
from dev.functions_host.routes import Routes, decoded
from dev.functions_host.rpc_http import http_response, read_body, rpc_request
from dev.functions_host.timers import Timers
from dev.functions_host.worker import Worker

GRACE_SECONDS = 5.0
_LONGEST_HEADERS = 32 * 1024
_log = logging.getLogger("functions_host")


@dataclass(frozen=True, slots=True)
class FunctionsHost:
    """Answers each request as the host does; what fits nothing gets an empty 404."""

    worker: Worker
    routes: Routes
    admin: admin.Admin
    body_limit: int

    async def answer(self, request: BaseRequest) -> Response:
        path = decoded(request.rel_url.raw_path)
        if path.startswith(admin.PREFIX):
            return await self.admin.answer(request, path.removeprefix(admin.PREFIX))
        match = self.routes.match(request.method, path)
        if match is None:
            return Response(status=404)
        body = await read_body(request, self.body_limit)
        if body is None:  # the host's server would say 413, but the host turns that into a 500
            _log.error("Request body too large. The limit is %d bytes.", self.body_limit)
            return Response(status=500)
        return http_response(
            await invoke(
                self.worker,
                match.function,
                rpc_request(request, match.params, body),
                request.headers.get("traceparent", ""),
                request.headers.get("tracestate", ""),
            )
        )


async def serve(app_dir: Path, host: str, port: int, *, with_timers: bool) -> None:
    """Runs until SIGTERM or SIGINT; raises WorkerError when the app cannot be indexed."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    configuration = HostConfiguration.load(app_dir, os.environ)
    worker = Worker(app_dir)
    functions = await worker.start()
    timers = Timers(worker, functions)
    routes = Routes(functions, configuration.route_prefix)
    firing = admin.Admin(timers, functions)
    server = _server(FunctionsHost(worker, routes, firing, configuration.body_limit))
    listener = await loop.create_server(server, host, port, backlog=1024)
    ticking = asyncio.create_task(timers.run()) if with_timers else None
    for address in listener.sockets:
        _log.info("Listening on http://%s:%d", *address.getsockname()[:2])
    await stopping.wait()
    _kill_after_grace()
    listener.close()
    if ticking is not None:
        ticking.cancel()
    await _finish(server, worker)


async def _finish(server: Server, worker: Worker) -> None:
    await asyncio.sleep(0)  # requests already read are under way before idle connections close
    server.pre_shutdown()
    await asyncio.gather(server.shutdown(GRACE_SECONDS), worker.finish(GRACE_SECONDS))
    worker.stop()


def _server(functions_host: FunctionsHost) -> Server:
    logging.getLogger("aiohttp.server").addFilter(_without_request_text)
    return Server(
        functions_host.answer,
        access_log=None,
        auto_decompress=False,  # nor does the host
        max_field_size=_LONGEST_HEADERS,
    )


def _without_request_text(record: logging.LogRecord) -> bool:
    """A malformed request's error quotes the line at fault, which may hold a token."""
    record.exc_info = None
    return True


def _kill_after_grace() -> None:
    def kill() -> None:
        _log.warning("Killing what is still running after %.0f seconds", GRACE_SECONDS)
        sys.stderr.flush()
        os._exit(0)

    watchdog = threading.Timer(GRACE_SECONDS + 1, kill)
    watchdog.daemon = True
    watchdog.start()
