"""CORS: a page of a browser application on loopback may read what the tenant answers."""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ORIGIN = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]+)?")


@web.middleware
async def let_loopback_pages_read(request: web.Request, handler: Handler) -> web.StreamResponse:
    """There are no preflights: what MSAL.js sends is simple, a form without headers of its own."""
    response = await handler(request)
    origin = request.headers.get("Origin", "")
    if ORIGIN.fullmatch(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"
    return response
