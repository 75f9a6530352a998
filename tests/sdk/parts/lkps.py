"""A double of LKPS's registration routes over HTTP; the real LiveKit takes the tokens it mints."""

import asyncio
import base64
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.sdk.parts.livekit import LiveKit

PREFIX = "/gateway/lkps"


@dataclass(frozen=True)
class Refusal:
    """An answer to give instead of the real one; without a status the answer never comes."""

    status: int | None
    code: str = "refused_by_the_test"
    detail: str = "the test wants it so"
    headers: dict[str, str] = field(default_factory=dict)
    html: bool = False


class LkpsDouble:
    """What the agents did is in `registrations`, `renewals`, `jobs`, `ended` and `request_ids`."""

    def __init__(self, livekit: LiveKit, livekit_url: str, access_tokens: Sequence[str]) -> None:
        self._livekit = livekit
        self._livekit_url = livekit_url
        self._access_tokens = access_tokens
        self._runner: web.AppRunner | None = None
        self._salt = uuid.uuid4().hex
        self.renew_after = 60
        self.token_seconds = 600.0
        self.always_new_token = False
        self.next_signature: str | None = None
        self.routing_version = 1
        self.refusal: Refusal | None = None
        self.live: set[str] = set()
        self.registrations: list[dict[str, Any]] = []
        self.renewals: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self.ended: list[str] = []
        self.tokens: list[str] = []
        self.refused = 0
        self.request_ids: list[str] = []

    @property
    def url(self) -> str:
        if self._runner is None:
            raise RuntimeError("LKPS is not started")
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}{PREFIX}"

    async def start(self) -> None:
        app = web.Application(middlewares=[self._gate])
        app.router.add_post(f"{PREFIX}/api/agent/register", self._register)
        app.router.add_post(f"{PREFIX}/api/agent/registrations/{{id}}/renew", self._renew)
        app.router.add_post(f"{PREFIX}/api/agent/registrations/{{id}}/jobs", self._report)
        app.router.add_delete(f"{PREFIX}/api/agent/registrations/{{id}}", self._end)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def routing_secret(self, version: int | None = None) -> str:
        seed = f"{self._salt}{version or self.routing_version}".encode()
        return base64.b32encode(hashlib.sha256(seed).digest()).decode().rstrip("=").lower()

    def told_of(self, room: str) -> list[tuple[str, str | None]]:
        """Outcomes and reasons of the jobs in that room."""
        session_id = room.partition("--")[2]
        return [
            (job["outcome"], job.get("reason"))
            for job in self.jobs
            if job["session_id"] == session_id
        ]

    @web.middleware
    async def _gate(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.request_ids.append(request.headers["X-Request-ID"])
        refusal = self.refusal
        if request.headers["Authorization"].removeprefix("Bearer ") not in self._access_tokens:
            refusal = Refusal(401, "token_invalid")
        if refusal is None:
            return await handler(request)
        self.refused += 1
        if refusal.status is None:
            await asyncio.sleep(3600)
        return _problem(refusal, request.headers["X-Request-ID"])

    async def _register(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.registrations.append(body)
        registration_id = f"{body['agent_name']}.{uuid.uuid4().hex}"
        self.live.add(registration_id)
        return web.json_response(
            {
                "registration_id": registration_id,
                "agent_name": body["agent_name"],
                "livekit_url": self._livekit_url,
                **self._lease(),
                **self._token(),
            }
        )

    async def _renew(self, request: web.Request) -> web.Response:
        body = await request.json()
        if request.match_info["id"] not in self.live:
            refusal = Refusal(404, "registration_not_found")
            return _problem(refusal, request.headers["X-Request-ID"])
        self.renewals.append(body)
        held_until = datetime.fromisoformat(body["token_expires_at"])
        left = (held_until - datetime.now(UTC)).total_seconds()
        if self.always_new_token or left < self.token_seconds / 2:
            return web.json_response({**self._lease(), **self._token()})
        return web.json_response({**self._lease(), "expires_at": body["token_expires_at"]})

    async def _report(self, request: web.Request) -> web.Response:
        """Of a registration that is over, too: its worker drains."""
        self.jobs.append({**await request.json(), "registration_id": request.match_info["id"]})
        return web.Response(status=204)

    async def _end(self, request: web.Request) -> web.Response:
        self.live.discard(request.match_info["id"])
        self.ended.append(request.match_info["id"])
        return web.Response(status=204)

    def _lease(self) -> dict[str, object]:
        return {
            "deployment": self.routing_secret(),
            "routing_version": self.routing_version,
            "renew_after": self.renew_after,
        }

    def _token(self) -> dict[str, object]:
        expires_at = datetime.now(UTC) + timedelta(seconds=self.token_seconds)
        signature, self.next_signature = self.next_signature, None
        self.tokens.append(self._livekit.agent_token(self.token_seconds, signature))
        return {"token": self.tokens[-1], "expires_at": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}"}


def _problem(refusal: Refusal, request_id: str) -> web.Response:
    status = refusal.status or 500
    if refusal.html:
        page = "<html>Bad gateway</html>"
        return web.Response(text=page, status=status, content_type="text/html")
    return web.json_response(
        {
            "type": f"urn:lkps:{refusal.code}",
            "title": refusal.detail,
            "status": status,
            "code": refusal.code,
            "detail": refusal.detail,
            "request_id": request_id,
        },
        status=status,
        content_type="application/problem+json",
        headers=refusal.headers,
    )
