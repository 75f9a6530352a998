"""A backend: starts sessions for its signed-in users, and hands its frontend what joins them.

    python examples/backend_client.py

    POST /session -> {"livekit_url": "wss://…", "participant_token": "eyJ…"}

It holds no LiveKit key: `AZURE_*` says who it is, `LKPS_*` where LKPS is.
"""

import os
from collections.abc import AsyncIterator

from aiohttp import web

from lkps import AgentOffline, RateLimited, SessionClient, TooManySessions, Unavailable

AGENT_NAME = os.environ.get("BACKEND_AGENT_NAME", "echo")
PORT = int(os.environ.get("BACKEND_PORT", "8080"))
LKPS = web.AppKey("lkps", SessionClient)


async def start_session(request: web.Request) -> web.Response:
    user_id, user_name = signed_in_user(request)
    try:
        session = await request.app[LKPS].start(
            AGENT_NAME,
            participant_identity=user_id,
            participant_name=user_name,
            wait_for_agent=5,
        )
    except (AgentOffline, RateLimited, TooManySessions, Unavailable) as error:
        print(f"no session just now: {error}", flush=True)
        return web.json_response(
            {"error": "The agent is busy. Try again in a moment."},
            status=503,
            headers={"Retry-After": str(round(error.retry_after) or 5)},
        )
    return web.json_response(
        {"livekit_url": session.livekit_url, "participant_token": session.participant_token},
        headers={"Cache-Control": "no-store"},
    )


def signed_in_user(request: web.Request) -> tuple[str, str]:
    """Id and name, as App Service's authentication says them: it lets nobody else set these.

    Where the backend runs elsewhere, this is its own session's user. It decides as whom a
    participant joins, so it must never be what the browser says of itself.
    """
    user_id = request.headers.get("X-MS-CLIENT-PRINCIPAL-ID")
    if not user_id:
        raise web.HTTPUnauthorized(text="sign in first")
    return user_id, request.headers.get("X-MS-CLIENT-PRINCIPAL-NAME", "")


async def connect_to_lkps(app: web.Application) -> AsyncIterator[None]:
    async with SessionClient() as lkps:
        app[LKPS] = lkps
        yield


def backend() -> web.Application:
    app = web.Application()
    app.cleanup_ctx.append(connect_to_lkps)
    app.router.add_post("/session", start_session)
    return app


if __name__ == "__main__":
    web.run_app(backend(), host="127.0.0.1", port=PORT)
