"""A registrar in memory and a clock that is moved by sleeping: for the lease's own decisions."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lkps.client import AgentDescription, Registration, Renewal
from lkps.errors import LkpsError, RegistrationNotFound

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class MovedClock:
    """Sleeping takes no time but moves it, as often as the test allows."""

    time: datetime = START
    slept: list[float] = field(default_factory=list)
    _allowed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    def now(self) -> datetime:
        return self.time

    def allow(self, naps: int) -> None:
        for _ in range(naps):
            self._allowed.release()

    async def sleep(self, seconds: float) -> None:
        await self._allowed.acquire()
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


@dataclass
class MemoryRegistrar:
    """LKPS with one agent; each of `failures` is one call's fate, None being success."""

    clock: MovedClock
    failures: list[LkpsError | None] = field(default_factory=list)
    token_seconds: int = 600
    routing_version: int = 1
    livekit_url: str = "wss://livekit.example"
    tokens: int = 0
    live: set[str] = field(default_factory=set)
    registered: list[AgentDescription] = field(default_factory=list)
    renewed_with: list[int] = field(default_factory=list)

    async def register(self, agent: AgentDescription) -> Registration:
        self._fail()
        self.registered.append(agent)
        self.live.add(f"registration-{len(self.registered)}")
        return Registration(
            registration_id=f"registration-{len(self.registered)}",
            deployment=f"secret-{self.routing_version}",
            routing_version=self.routing_version,
            token=self._token(),
            livekit_url=self.livekit_url,
            expires_at=self._expiry(),
            renew_after=60,
        )

    async def renew(
        self, registration_id: str, *, token_expires_at: datetime, routing_version: int
    ) -> Renewal:
        self._fail()
        if registration_id not in self.live:
            raise RegistrationNotFound(404, "registration_not_found", "it is over", "request-1")
        self.renewed_with.append(routing_version)
        is_half_over = token_expires_at - self.clock.now() < timedelta(
            seconds=self.token_seconds / 2
        )
        return Renewal(
            deployment=f"secret-{self.routing_version}",
            routing_version=self.routing_version,
            token=self._token() if is_half_over else None,
            expires_at=self._expiry() if is_half_over else token_expires_at,
            renew_after=60,
        )

    async def deregister(self, registration_id: str) -> None:
        self._fail()
        self.live.discard(registration_id)

    def _fail(self) -> None:
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure

    def _token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"

    def _expiry(self) -> datetime:
        return self.clock.now() + timedelta(seconds=self.token_seconds)
