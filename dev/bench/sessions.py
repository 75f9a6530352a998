"""Sessions: how soon the agent is in the room, and how fast the sweep goes over open ones."""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from statistics import median, quantiles
from typing import Any

import aiohttp
import psutil
from livekit.api import LiveKitAPI
from livekit.protocol.agent_dispatch import RoomAgentDispatch
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    ListParticipantsRequest,
)

from dev.bench.subjects import livekit_api
from dev.demo.agent import EchoAgent
from dev.platform import Platform, running
from lkps_core.adapters.tables import TablesAccount, TableSessions
from lkps_core.agents.names import id_of
from lkps_core.identity.principal import PrincipalId
from lkps_core.sessions.model import Session
from lkps_core.sessions.naming import room_name

STARTS = 100
OPEN = 5000
LOST = 100
"""Of the open ones, those whose room is gone before the second run."""

_AGENTS = 50
_AT_ONCE = 64
_AGENT = "bench-echo"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Milliseconds from the request until the agent is in the room; a sweep's seconds over OPEN
    sessions, and over as many of which LOST have ended; by how many MiB the service grew meanwhile.
    """

    agent_p50: float
    agent_p99: float
    sweep_seconds: float
    ending_seconds: float
    growth: float


async def measured_sessions() -> Sessions:
    """On a platform of its own."""
    async with running() as platform, _calling(platform) as lkps, livekit_api(platform) as livekit:
        p50, p99 = await _agents_come(platform, lkps, livekit)
        rooms = await _fill(platform, livekit)
        await _sweep(lkps)
        before = _mebibytes(platform)
        sweep = await _sweep(lkps)
        growth = _mebibytes(platform) - before
        for some in batched(rooms[:LOST], _AT_ONCE, strict=False):
            deletions = (livekit.room.delete_room(DeleteRoomRequest(room=name)) for name in some)
            await asyncio.gather(*deletions)
        return Sessions(p50, p99, sweep, await _sweep(lkps), growth)


async def _agents_come(
    platform: Platform, lkps: aiohttp.ClientSession, livekit: LiveKitAPI
) -> tuple[float, float]:
    """One after the other; an agent whose process is warm."""
    agent = EchoAgent(platform, name=_AGENT)
    access = {"Authorization": f"Bearer {await platform.access_token('client')}"}
    took: list[float] = []
    try:
        await agent.start()
        for _ in range(STARTS):
            began = time.time()
            body = {"agent_name": _AGENT, "wait_for_agent": 10}
            started = await _answered(lkps, "session/start", body, access)
            listed = await livekit.room.list_participants(
                ListParticipantsRequest(room=started["room_name"])
            )
            (there,) = [
                one for one in listed.participants if one.kind == ParticipantInfo.Kind.AGENT
            ]
            took.append(there.joined_at_ms - 1e3 * began)
            await _answered(lkps, f"session/{started['session_id']}/end", {}, access)
    finally:
        await agent.dispose()
    return median(took), quantiles(took, n=100)[98]


async def _fill(platform: Platform, livekit: LiveKitAPI) -> list[str]:
    """OPEN sessions that nobody joined yet, with their rooms, whose names it returns."""
    account = TablesAccount.from_connection_string(
        platform.settings["LKPS_TABLES_CONNECTION_STRING"]
    )
    table, now = TableSessions(account), datetime.now(UTC)
    sessions = [_session(number, now) for number in range(OPEN)]
    try:
        for some in batched(sessions, _AT_ONCE, strict=False):
            await asyncio.gather(*map(table.add, some))
            rooms = (livekit.room.create_room(_room(one)) for one in some)
            await asyncio.gather(*rooms)
    finally:
        await account.close()
    return [one.room_name for one in sessions]


def _session(number: int, now: datetime) -> Session:
    agent_name = f"bench-{number % _AGENTS}"
    session_id = id_of(agent_name, os.urandom(16))
    return Session(
        id=session_id,
        agent_name=agent_name,
        starter=PrincipalId(str(uuid.UUID(int=1)), str(uuid.UUID(int=2))),
        azp=str(uuid.UUID(int=3)),
        room_name=room_name("local", session_id),
        participant_identity="lkps-app-bench",
        body_sha256="0" * 64,
        attempt="0" * 32,
        created_at=now - timedelta(minutes=3),
        ends_at=now + timedelta(hours=4),
        token_until=now + timedelta(hours=1),
    )


def _room(session: Session) -> CreateRoomRequest:
    dispatch = RoomAgentDispatch(agent_name=session.agent_name, deployment="nobody")
    return CreateRoomRequest(name=session.room_name, empty_timeout=3600, agents=[dispatch])


async def _sweep(lkps: aiohttp.ClientSession) -> float:
    """The seconds of all runs that it takes to come through."""
    seconds, is_complete = 0.0, False
    while not is_complete:
        run = await _answered(lkps, "sweep", {"reason": "a benchmark"})
        seconds, is_complete = seconds + run["seconds"], run["complete"]
    return seconds


async def _answered(
    lkps: aiohttp.ClientSession, path: str, body: object, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    async with lkps.post(path, json=body, headers=headers) as response:
        answer: dict[str, Any] = await response.json()
        assert response.status == 200, answer
        return answer


def _mebibytes(platform: Platform) -> float:
    return float(psutil.Process(platform.service.pid).memory_info().rss) / 2**20


@asynccontextmanager
async def _calling(platform: Platform) -> AsyncIterator[aiohttp.ClientSession]:
    """As the admin."""
    headers = {"Authorization": f"Bearer {await platform.access_token('admin')}"}
    timeout = aiohttp.ClientTimeout(total=180)
    async with aiohttp.ClientSession(
        f"{platform.lkps_url}/api/", headers=headers, timeout=timeout
    ) as session:
        yield session
