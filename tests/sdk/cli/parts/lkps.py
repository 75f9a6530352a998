"""A stand-in for LKPS that answers what a test says, and takes only bodies that LKPS would take."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from lkps_core.errors import BodyInvalid, Refusal
from lkps_core.wire.agents import AssignAgent, ChangeAgent, RotateSecret
from lkps_core.wire.authorization import CheckAuthorization
from lkps_core.wire.bodies import Body
from lkps_core.wire.grants import ChangeGrant, CreateGrant
from lkps_core.wire.limits import SetLimits
from lkps_core.wire.policy import PolicyDocument
from lkps_core.wire.problems import MEDIA_TYPE, problem
from lkps_core.wire.revocations import Revoke
from lkps_core.wire.sessions import EndSession
from lkps_core.wire.sweep import Sweep
from tests.sdk.cli.parts.audit import LiftHold, PlaceHold, Reindex

PREFIX = "/gateway/lkps"
REQUEST_ID = "request-0001"

BODIES: dict[tuple[str, str], type[Body]] = {
    ("PUT", "agents"): AssignAgent,
    ("PATCH", "agents"): ChangeAgent,
    ("POST", "rotate"): RotateSecret,
    ("POST", "grants"): CreateGrant,
    ("PATCH", "grants"): ChangeGrant,
    ("PUT", "limits"): SetLimits,
    ("POST", "check"): CheckAuthorization,
    ("POST", "revocations"): Revoke,
    ("POST", "end"): EndSession,
    ("POST", "sweep"): Sweep,
    ("POST", "plan"): PolicyDocument,
    ("POST", "apply"): PolicyDocument,
    ("POST", "reindex"): Reindex,
    ("POST", "holds"): PlaceHold,
    ("DELETE", "holds"): LiftHold,
}


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class LkpsStandIn:
    """`answers` are given in their order, the last one of an address again and again.

    Without `access_tokens` it takes every access token.
    """

    access_tokens: list[str] | None = None
    received: list[Received] = field(default_factory=list)
    answers: dict[tuple[str, str], list[web.Response]] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        assert self._runner is not None
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}{PREFIX}"

    def answers_with(
        self, method: str, path: str, body: object = None, *, status: int = 200, etag: str = ""
    ) -> None:
        headers = {"ETag": etag} if etag else {}
        text = None if body is None else json.dumps(body)
        response = web.Response(
            text=text, status=status, headers=headers, content_type="application/json"
        )
        self.answers.setdefault((method, path), []).append(response)

    def answers_with_lines(self, path: str, content: bytes) -> None:
        response = web.Response(body=content, content_type="application/x-ndjson")
        self.answers.setdefault(("GET", path), []).append(response)

    def refuses(self, method: str, path: str, refusal: Refusal) -> None:
        self.answers.setdefault((method, path), []).append(refused(refusal))

    def sent(self, method: str) -> list[Any]:
        return [one.body for one in self.received if one.method == method]

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", PREFIX + "/api/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        path, method = request.match_info["path"], request.method
        content = await request.read()
        body = json.loads(content) if content else None
        self.received.append(Received(method, path, request.query, request.headers, body))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        assert token
        assert self.access_tokens is None or token in self.access_tokens
        try:
            _parse(method, path, content)
        except BodyInvalid as error:
            return refused(error)
        if path in self.unanswered:
            await asyncio.sleep(3600)
        given = self.answers.get((method, path))
        if given is None:
            return web.Response(text="<html>nothing here</html>", status=404)
        response = given.pop(0) if len(given) > 1 else given[0]
        return web.Response(body=response.body, status=response.status, headers=response.headers)


def refused(refusal: Refusal) -> web.Response:
    return web.Response(
        body=problem(refusal, REQUEST_ID),
        status=refusal.status,
        content_type=MEDIA_TYPE,
        headers={**refusal.headers(), "X-Request-ID": REQUEST_ID},
    )


def _parse(method: str, path: str, content: bytes) -> None:
    segments = path.split("/")
    for name in (segments[-1], *segments[-2:-1]):
        if (method, name) in BODIES and (content or method != "DELETE"):
            BODIES[method, name].parse(content)
            return
    assert not content, f"{method} {path} takes no body"
