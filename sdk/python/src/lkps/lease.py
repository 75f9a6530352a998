"""The lease: one task keeps an agent registered, and a valid token is at hand for whoever asks."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from lkps.client import AgentDescription, Registration, Renewal
from lkps.errors import LkpsError, RegistrationNotFound, Unavailable
from lkps.retries import Clock, Patience

logger = logging.getLogger("lkps")

_PATIENCE = Patience(longest_pause=30.0, longest_retry_after=300.0)
_TOKEN_MARGIN = timedelta(seconds=10)
_FAREWELL_SECONDS = 3.0


class Registrar(Protocol):
    """LKPS, as the lease needs it; `LkpsClient` is one."""

    async def register(self, agent: AgentDescription) -> Registration: ...

    async def renew(
        self, registration_id: str, *, token_expires_at: datetime, routing_version: int
    ) -> Renewal: ...

    async def deregister(self, registration_id: str) -> None: ...


class Lease:
    """An agent's registration, from `open` to `close`.

    `changed` is called in the event loop when a renewal or a new registration brings another
    routing secret or another LiveKit, before anybody is given the token that came with it.
    """

    def __init__(
        self,
        lkps: Registrar,
        agent: AgentDescription,
        *,
        changed: Callable[[Registration], None],
        clock: Clock | None = None,
    ) -> None:
        self._lkps = lkps
        self._agent = agent
        self._changed = changed
        self._clock = clock or Clock()
        self._held: Registration | None = None
        self._connected_version: int | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._renewed = asyncio.Condition()

    async def open(self) -> Registration:
        """Registers; waits for an LKPS that is away, raises when LKPS or Entra ID says no."""
        failures = 0
        while self._held is None:
            try:
                self._held = await self._lkps.register(self._agent)
            except Unavailable as error:
                failures += 1
                if failures == 1:
                    logger.warning("not registered yet, trying again: %s", error)
                await self._clock.sleep(_PATIENCE.pause(failures, error, self._clock))
        self._renewing = asyncio.create_task(self._keep(), name="lkps_lease")
        return self._held

    @property
    def registration_id(self) -> str:
        """The one held, or once the lease is closed, held last."""
        return self._registration.registration_id

    @property
    def livekit_url(self) -> str:
        return self._registration.livekit_url

    async def token(self) -> str:
        """A token to connect with: the one held, or once expired the next, however late."""
        if self._registration.expires_at - _TOKEN_MARGIN <= self._clock.now():
            async with self._renewed:
                self._wanted.set()
                await self._renewed.wait()  # once: LKPS's clock decides, not this machine's
        return self._registration.token

    def token_was_refused(self) -> None:
        """LiveKit does not take the token held, whatever its expiry says: the next is asked for."""
        self._held = replace(self._registration, expires_at=self._clock.now())

    def connected(self) -> None:
        """The worker connected with the routing secret held; of a new one LKPS learns at once."""
        before, self._connected_version = (
            self._connected_version,
            self._registration.routing_version,
        )
        if before not in (None, self._connected_version):
            self._wanted.set()

    async def close(self) -> None:
        """Ends the registration; never raises, takes seconds at most: the lease ends anyway."""
        renewing, self._renewing = self._renewing, None
        if renewing is None:
            return
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        try:
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self._lkps.deregister(self._registration.registration_id)
        except (LkpsError, TimeoutError) as error:
            logger.warning("not deregistered, the lease will expire: %s", error)
        else:
            logger.info("agent deregistered from LKPS")

    @property
    def _registration(self) -> Registration:
        if self._held is None:
            raise RuntimeError("the lease is not open")
        return self._held

    async def _keep(self) -> None:
        failures = 0
        pause = self._regular_pause()
        while True:
            await self._rest(pause) if not failures else await self._clock.sleep(pause)
            try:
                await self._renew()
            except LkpsError as error:
                failures += 1
                if failures == 1:
                    logger.warning("the agent stays connected, but its lease: %s", error)
                pause = _PATIENCE.pause(failures, error, self._clock)
            else:
                if failures:
                    logger.info("the agent's lease is renewed again")
                failures, pause = 0, self._regular_pause()

    async def _renew(self) -> None:
        held = self._registration
        self._wanted.clear()
        version = self._connected_version
        try:
            renewal = await self._lkps.renew(
                held.registration_id,
                token_expires_at=held.expires_at,
                routing_version=held.routing_version if version is None else version,
            )
        except RegistrationNotFound:
            await self._adopt(await self._lkps.register(self._agent))
            logger.info("the agent's lease was over, it is registered again")
        else:
            await self._adopt(
                replace(
                    held,
                    deployment=renewal.deployment,
                    routing_version=renewal.routing_version,
                    token=renewal.token or held.token,
                    expires_at=renewal.expires_at,
                    renew_after=renewal.renew_after,
                )
            )

    async def _adopt(self, fresh: Registration) -> None:
        before, self._held = self._registration, fresh
        if (fresh.deployment, fresh.livekit_url) != (before.deployment, before.livekit_url):
            self._changed(fresh)
        async with self._renewed:
            self._renewed.notify_all()

    def _regular_pause(self) -> float:
        """A fifth earlier at most, so that agents started together do not renew together."""
        return self._registration.renew_after * (1 - 0.2 * self._clock.chance())

    async def _rest(self, seconds: float) -> None:
        """Until it is time to renew, or until somebody wants a token."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        wanted = asyncio.ensure_future(self._wanted.wait())
        try:
            await asyncio.wait({sleeping, wanted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            wanted.cancel()
