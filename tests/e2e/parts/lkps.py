"""LKPS as its callers use it: over HTTP, with access tokens of the tenant's identities."""

import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from dev.platform import Platform


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def code(self) -> str | None:
        """The problem's stable code; None when it is no problem document."""
        if self.headers.get("Content-Type") != "application/problem+json":
            return None
        return str(self.json["code"])

    @property
    def token_sha256(self) -> str:
        """As the trail names the participant token in it."""
        return hashlib.sha256(self["participant_token"].encode()).hexdigest()

    def __getitem__(self, member: str) -> Any:  # noqa: ANN401  whatever JSON holds
        assert self.status == 200, self.body
        return self.json[member]


@dataclass(frozen=True)
class Lkps:
    """The service at `url`; each identity's access token is got once and kept."""

    url: str
    platform: Platform
    session: aiohttp.ClientSession
    tokens: dict[str, str] = field(default_factory=dict)

    def at(self, url: str) -> "Lkps":
        """Another process of the service, called by the same callers with the same tokens."""
        return replace(self, url=url)

    async def access_token(self, who: str) -> str:
        if who not in self.tokens:
            self.tokens[who] = await self.platform.access_token(who)
        return self.tokens[who]

    async def register(self, agent_name: str, who: str = "agent") -> Answer:
        return await self.call(who, "POST", "agent/register", {"agent_name": agent_name})

    async def start(
        self, agent_name: str, who: str = "client", *, key: str | None = None, **members: object
    ) -> Answer:
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"agent_name": agent_name, **members}
        return await self.call(who, "POST", "session/start", body, headers)

    async def show(self, session_id: str, who: str = "client") -> Answer:
        return await self.call(who, "GET", f"session/{session_id}")

    async def join(self, session_id: str, who: str = "client", **members: object) -> Answer:
        """Another token of the session, or with an invitation the first."""
        return await self.call(who, "POST", f"session/{session_id}/token", members)

    async def invite(self, session_id: str, who: str = "client") -> str:
        answer = await self.call(who, "POST", f"session/{session_id}/invitations")
        assert answer.status == 201, answer.body
        invitation: str = answer.json["invitation"]
        return invitation

    async def end(self, session_id: str, who: str = "client") -> Answer:
        return await self.call(who, "POST", f"session/{session_id}/end")

    async def set_limits(self, **limits: int) -> Answer:
        """The platform's limits, as its admin; those that are not named become the defaults."""
        answer = await self.call("admin", "PUT", "limits", limits, {"If-Match": "*"})
        assert answer.status == 200, answer.body
        return answer

    async def call(
        self,
        who: str,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        credentials = {"Authorization": f"Bearer {await self.access_token(who)}"}
        return await self.send(method, path, json=body, headers={**credentials, **(headers or {})})

    async def send(self, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401  aiohttp's
        """Exactly this request, without credentials but those in it."""
        async with self.session.request(method, f"{self.url}/api/{path}", **options) as response:
            return Answer(response.status, response.headers.copy(), await response.read())


@asynccontextmanager
async def calling(platform: Platform) -> AsyncIterator[Lkps]:
    timeout = aiohttp.ClientTimeout(total=30)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        yield Lkps(platform.lkps_url, platform, session)


def new_agent_name() -> str:
    return f"agent-{uuid.uuid4().hex}"
