"""Upgrades: the worker's HTTP session, whose WebSockets are opened with the lease's token."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp

from lkps.errors import Unavailable
from lkps.lease import Lease
from lkps.retries import Clock, Patience

logger = logging.getLogger("lkps")

_PATIENCE = Patience(longest_pause=30.0, longest_retry_after=0.0)
_SECONDS = 10.0


class Upgrades:
    """Stands in for the `aiohttp.ClientSession` of the worker and knows its newest WebSocket.

    A LiveKit that is away is waited for here: livekit-agents would end the worker after two
    minutes of that, and says each attempt in a line of its own.
    """

    def __init__(
        self, session: aiohttp.ClientSession, lease: Lease, *, clock: Clock | None = None
    ) -> None:
        self._session = session
        self._lease = lease
        self._clock = clock or Clock()
        self._attempts = 0  # since the worker was registered last
        self._warned = False
        self._websocket: aiohttp.ClientWebSocketResponse | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)

    async def ws_connect(
        self,
        url: str,
        **options: Any,  # noqa: ANN401  the worker's own
    ) -> aiohttp.ClientWebSocketResponse:
        """Called at every connection and reconnection; the worker's own token is replaced.

        However late it is, it ends with a connection. It raises once LKPS named another LiveKit
        meanwhile: the worker then calls with that one's address.
        """
        livekit_url = self._lease.livekit_url
        while True:
            if self._attempts:
                pause = _PATIENCE.pause(self._attempts, Unavailable(""), self._clock)
                await self._clock.sleep(pause)
            if self._lease.livekit_url != livekit_url:
                raise aiohttp.ClientConnectionError("LiveKit is elsewhere now")
            self._attempts += 1
            try:
                return await self._connect(url, options)
            except (aiohttp.ClientError, OSError) as error:
                self._warn(error)

    def registered(self) -> None:
        """The worker is, over the newest WebSocket."""
        if self._warned:
            logger.info("the agent is connected to LiveKit again")
        self._attempts, self._warned = 0, False

    async def close_websocket(self) -> None:
        """The worker takes it for a lost connection and opens the next at once."""
        if self._websocket is not None:
            await self._websocket.close()

    async def _connect(
        self, url: str, options: Mapping[str, Any]
    ) -> aiohttp.ClientWebSocketResponse:
        credentials = {"Authorization": f"Bearer {await self._lease.token()}"}
        try:
            async with asyncio.timeout(_SECONDS):
                self._websocket = await self._session.ws_connect(
                    url, **{**options, "headers": credentials}
                )
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 401:
                self._lease.token_was_refused()
            raise
        return self._websocket

    def _warn(self, error: Exception) -> None:
        """Once, and without the error's own text: it may have the request in it."""
        if self._warned:
            return
        self._warned = True
        status = getattr(error, "status", None)
        reason = f"it answers {status}" if status else type(error).__name__
        logger.warning("the agent is not connected to LiveKit, trying again: %s", reason)
