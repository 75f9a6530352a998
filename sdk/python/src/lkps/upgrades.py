"""Upgrades: the worker's HTTP session, whose WebSockets are opened with the lease's token."""

from typing import Any

import aiohttp

from lkps.lease import Lease


class Upgrades:
    """Stands in for the `aiohttp.ClientSession` of the worker and knows its newest WebSocket."""

    def __init__(self, session: aiohttp.ClientSession, lease: Lease) -> None:
        self._session = session
        self._lease = lease
        self._websocket: aiohttp.ClientWebSocketResponse | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)

    async def ws_connect(
        self,
        url: str,
        **options: Any,  # noqa: ANN401  the worker's own
    ) -> aiohttp.ClientWebSocketResponse:
        """Called at every connection and reconnection; the worker's own token is replaced."""
        options["headers"] = {"Authorization": f"Bearer {await self._lease.token()}"}
        try:
            self._websocket = await self._session.ws_connect(url, **options)
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 401:
                self._lease.token_was_refused()
            raise
        return self._websocket

    async def close_websocket(self) -> None:
        """The worker takes it for a lost connection and opens the next at once."""
        if self._websocket is not None:
            await self._websocket.close()
