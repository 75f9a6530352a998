"""The whole service over memory adapters, called as its callers do: by method, path and headers."""

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from lkps_core.adapters.livekit_events import LiveKitEvents
from lkps_core.adapters.memory import (
    MemoryRegistrations,
    MemoryRooms,
    MemoryRows,
    MemorySessions,
)
from lkps_core.adapters.memory_trail import (
    MemoryCheckpoints,
    MemoryIndex,
    MemoryKey,
    MemoryTrailRows,
)
from lkps_core.agents.model import Agent
from lkps_core.api.endpoints import ENDPOINTS, Endpoint
from lkps_core.api.handling import Api
from lkps_core.api.http import Request
from lkps_core.api.operations import Operation
from lkps_core.auditing.holds import Hold
from lkps_core.auditing.indexing import Indexed, Reindex
from lkps_core.checkup import Heard
from lkps_core.composition import Ports, compose
from lkps_core.identity.permissions import ADMINISTER, AUDIT, RUN_AGENTS, START_SESSIONS
from lkps_core.policy.model import Grant, PlatformLimits, Revocation
from lkps_core.services import Services
from lkps_core.settings import Settings
from lkps_core.sweep.model import Turn
from tests.builders import tokens

ENVIRONMENT = {
    "LKPS_ENVIRONMENT": "nonprod",
    "LKPS_INSTALLATION": "test",
    "LKPS_TENANT_ID": tokens.TENANT,
    "LKPS_API_CLIENT_ID": tokens.AUDIENCE,
    "LKPS_PUBLIC_URL": "https://gateway.example/lkps",
    "LKPS_ALLOWED_ORIGINS": "https://app.example",
    "LKPS_LIVEKIT_URL": "wss://livekit.example",
    "LKPS_LIVEKIT_API_KEY": "key",
    "LKPS_LIVEKIT_API_SECRET": "livekit-secret-of-at-least-32-bytes",
    "LKPS_SECRET": "c2VjcmV0LW9mLWF0LWxlYXN0LTMyLWJ5dGVzLWluLWFsbA==",
    "LKPS_TABLES_ENDPOINT": "https://account.table.core.windows.net",
    "LKPS_CHECKPOINTS_URL": "https://account.blob.core.windows.net/checkpoints",
    "LKPS_CHECKPOINT_KEY": f"https://vault.vault.azure.net/keys/checkpoints/{'a' * 32}",
}


def app(name: str, *roles: str) -> str:
    """The Authorization of an application of that name; ids follow from it."""
    claims = tokens.app_claims(oid=guid(f"sp {name}"), azp=guid(f"app {name}"), roles=list(roles))
    return tokens.bearer(claims)


def user(name: str, *scopes: str, roles: tuple[str, ...] = (), through: str = "cli") -> str:
    """The Authorization of a person, signed in through a public client."""
    claims = tokens.user_claims(
        oid=guid(f"user {name}"),
        azp=guid(f"app {through}"),
        scp=" ".join(scopes),
        roles=list(roles),
    )
    return tokens.bearer(claims)


def guid(text: str) -> str:
    """The same GUID for the same text."""
    import uuid

    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


AGENT = app("agent", "LKPS.Agent")
OTHER_AGENT = app("other agent", "LKPS.Agent")
CLIENT = app("client", "LKPS.Client")
CLIENT_ELSEWHERE = tokens.bearer(
    tokens.app_claims(oid=guid("sp client"), azp=guid("app another"), roles=["LKPS.Client"])
)
"""The client's service principal through another application."""
OTHER_CLIENT = app("other client", "LKPS.Client")
ADMIN = app("admin", "LKPS.Admin")
MANAGER = app("manager", "LKPS.Manage")
AUDITOR = app("auditor", "LKPS.Auditor")
ALICE = user("alice", "Session.Start", "Agent.Register", "Agent.Manage")


def somebody_for(operation: Operation) -> str:
    """The Authorization of somebody who may call it: an admin where admins may."""
    by_permission = {
        ADMINISTER: ADMIN,
        RUN_AGENTS: AGENT,
        START_SESSIONS: CLIENT,
        AUDIT: AUDITOR,
    }
    return next(by for one, by in by_permission.items() if one in operation.allowed_to)


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    now: datetime = tokens.NOW

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return (self.now - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Answered:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.raw)
        return document


@dataclass
class Lkps:
    """One process of the service. Give several the same `tables` to have several processes.

    With `renews_tokens` callers get a new access token whenever the clock has moved.
    """

    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    clock: FakeClock = field(default_factory=FakeClock)
    keys: tokens.PublishedKeys = field(default_factory=tokens.PublishedKeys)
    agents: MemoryRows[Agent] = field(default_factory=MemoryRows[Agent])
    registrations: MemoryRegistrations = field(default_factory=MemoryRegistrations)
    sessions: MemorySessions = field(default_factory=MemorySessions)
    trail: MemoryTrailRows = field(default_factory=MemoryTrailRows)
    rooms: MemoryRooms = field(default_factory=MemoryRooms)
    seed: int = 0
    renews_tokens: bool = False
    grants: MemoryRows[Grant] = field(default_factory=MemoryRows[Grant])
    revocations: MemoryRows[Revocation] = field(default_factory=MemoryRows[Revocation])
    limits: MemoryRows[PlatformLimits] = field(default_factory=MemoryRows[PlatformLimits])

    index: MemoryIndex = field(default_factory=MemoryIndex)
    indexed: MemoryRows[Indexed] = field(default_factory=MemoryRows[Indexed])
    reindexes: MemoryRows[Reindex] = field(default_factory=MemoryRows[Reindex])
    holds: MemoryRows[Hold] = field(default_factory=MemoryRows[Hold])
    turns: MemoryRows[Turn] = field(default_factory=MemoryRows[Turn])
    heard: MemoryRows[Heard] = field(default_factory=MemoryRows[Heard])
    checkpoints: MemoryCheckpoints = field(default_factory=MemoryCheckpoints)
    signer: MemoryKey = field(default_factory=MemoryKey)

    def __post_init__(self) -> None:
        self.rooms.clock = self.clock
        settings = Settings.read({**ENVIRONMENT, **self.environment})
        numbers = itertools.count(1 + 1000 * self.seed)
        self.services: Services = compose(
            settings,
            Ports(
                clock=self.clock,
                monotonic=self.clock.monotonic,
                randomness=lambda size: next(numbers).to_bytes(size, "big"),
                keys=self.keys,
                agents=self.agents,
                registrations=self.registrations,
                grants=self.grants,
                revocations=self.revocations,
                limits=self.limits,
                sessions=self.sessions,
                trail=self.trail,
                index=self.index,
                indexed=self.indexed,
                reindexes=self.reindexes,
                holds=self.holds,
                turns=self.turns,
                heard=self.heard,
                checkpoints=self.checkpoints,
                signer=self.signer,
                rooms=self.rooms,
                events=LiveKitEvents(settings.livekit_keys),
                ping_tables=self._ping_tables,
                close=_nothing,
            ),
        )
        self.api = Api(self._provide)

    def another_process(self) -> "Lkps":
        """On the same tables and the same LiveKit, with nothing remembered."""
        return replace(self, seed=self.seed + 1)

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: str | None = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        path, _, query = path.partition("?")
        endpoint, parameters = _routed(path)
        sent = dict(headers or {})
        if by is not None:
            is_old = self.renews_tokens and self.clock.now != tokens.NOW
            sent["authorization"] = tokens.renewed(by, self.clock.now) if is_old else by
        if body is not None or raw is not None:
            sent.setdefault("content-type", "application/json")
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        response = await self.api.answer(
            endpoint, Request(method, sent, parameters, content, dict(parse_qsl(query)))
        )
        return Answered(response.status, response.headers, response.body)

    async def register(self, name: str = "concierge", *, by: str = AGENT) -> dict[str, Any]:
        """Register and take the agent's worker online in LiveKit."""
        answer = await self.send("POST", "agent/register", {"agent_name": name}, by=by)
        assert answer.status == 200, answer.raw
        self.rooms.workers.add((name, answer.json["deployment"]))
        return answer.json

    async def assign(self, body: object, name: str = "concierge", *, by: str = ADMIN) -> Answered:
        """Assign a name, whichever version of it is there."""
        is_there = ("agents", name) in self.agents._rows
        headers = {"if-match": "*"} if is_there else {}
        return await self.send("PUT", f"agents/{name}", body, by=by, headers=headers)

    async def start(
        self, name: str = "concierge", *, by: str = CLIENT, key: str | None = None, **body: object
    ) -> Answered:
        headers = {"idempotency-key": key} if key is not None else None
        return await self.send(
            "POST", "session/start", {"agent_name": name, **body}, by=by, headers=headers
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every row of the trail, in order within its stream."""
        return [
            json.loads(stream[number])
            for _, stream in sorted(self.trail.rows.items())
            for number in sorted(stream)
        ]

    def take_down_tables(self, *, down: bool = True) -> None:
        for table in self.tables:
            table.down = down
        self.trail.down = down

    @property
    def tables(self) -> tuple[MemoryRows[Any], ...]:
        """All but the trail's."""
        return (
            self.agents,
            self.registrations,
            self.grants,
            self.revocations,
            self.limits,
            self.sessions,
            self.indexed,
            self.reindexes,
            self.holds,
            self.turns,
            self.heard,
        )

    async def _provide(self) -> Services:
        return self.services

    async def _ping_tables(self) -> None:
        await self.agents.get("agents", "ping")


async def _nothing() -> None:
    return


def _routed(path: str) -> tuple[Endpoint, dict[str, str]]:
    for endpoint in sorted(ENDPOINTS, key=lambda one: "{" in one.path):
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", endpoint.path)
        if match := re.fullmatch(pattern, path):
            return endpoint, match.groupdict()
    raise LookupError(path)
