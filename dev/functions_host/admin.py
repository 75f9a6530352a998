"""`POST /admin/functions/{name}`: fires a timer by hand, as the host's admin API does.

The host answers 202 at once and never says how it went. `?wait` is this stand-in's own: it answers
when the function has ended, with 200 or 500 and `{"ok": ..., "error": ...}`. No key is asked for.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, json_response

from dev.functions_host.timers import Timers
from dev.functions_host.worker import Function

PREFIX = "/admin/functions/"


class Admin:
    def __init__(self, timers: Timers, functions: Iterable[Function]) -> None:
        self._timers = timers
        self._functions = {function.name.lower(): function for function in functions}
        self._firing: set[asyncio.Task[object]] = set()

    async def answer(self, request: BaseRequest, name: str) -> Response:
        function = self._functions.get(name.lower())
        if function is None or request.method != "POST":
            return Response(status=404)
        if not function.is_timer:
            return Response(status=400)
        firing = asyncio.create_task(self._timers.fire(function, datetime.now(UTC)))
        if "wait" not in request.rel_url.query:
            self._firing.add(firing)
            firing.add_done_callback(self._firing.discard)
            return Response(status=202)
        failure = (await firing).failure
        outcome = {"ok": failure is None, "error": failure.message if failure else None}
        return json_response(outcome, status=500 if failure else 200)
