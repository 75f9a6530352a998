"""A session client before an `Answerer`, and the clock that it sleeps by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lkps import SessionClient
from lkps.retries import Clock
from tests.sdk.parts.answerer import Answerer, Told, answering

ACCESS_TOKEN = "an-access-token"
PARTICIPANT_TOKEN = "the-participant-token"
INVITATION = "the-invitation"

STARTED = {
    "participant_token": PARTICIPANT_TOKEN,
    "server_url": "wss://livekit.example",
    "livekit_url": "wss://livekit.example",
    "room_name": "prod--concierge--abc",
    "session_id": "concierge--abc",
    "participant_identity": "alice",
    "agent_status": "joined",
    "expires_at": "2026-11-23T23:12:33Z",
}
SHOWN = {
    "session_id": "concierge--abc",
    "agent_name": "concierge",
    "room_name": "prod--concierge--abc",
    "participant_identity": "alice",
    "state": "joined",
    "agent_status": "joined",
    "agent_dispatches": 1,
    "created_at": "2026-11-23T23:02:33Z",
    "joined_at": "2026-11-23T23:02:35Z",
    "ends_at": "2026-11-24T00:02:33Z",
}
INVITED = {"invitation": INVITATION, "expires_at": "2026-11-23T23:12:33Z"}


class StaticCredential:
    async def access_token(self) -> str:
        return ACCESS_TOKEN


@dataclass
class SleptClock:
    """Time goes by in sleep alone, and at once. `slept` has each pause."""

    chance: float = 0.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: sum(self.slept), sleep=self.sleep, chance=lambda: self.chance
        )


@dataclass
class Bench:
    """A client, what it asks, and how long it pauses."""

    lkps: SessionClient
    answerer: Answerer
    clock: SleptClock


@asynccontextmanager
async def bench(answer: Told, timeout: float = 15.0, chance: float = 0.0) -> AsyncIterator[Bench]:
    clock = SleptClock(chance)
    async with (
        answering(answer) as answerer,
        SessionClient(
            lkps_url=answerer.url,
            credential=StaticCredential(),
            timeout=timeout,
            clock=clock.clock(),
        ) as lkps,
    ):
        yield Bench(lkps, answerer, clock)
