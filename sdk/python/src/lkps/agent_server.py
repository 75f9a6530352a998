"""The agent server: the worker of livekit-agents, with LKPS's token, address and routing secret."""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn, cast

import aiohttp
from livekit import agents
from livekit.agents.types import NOT_GIVEN, NotGivenOr

from lkps.client import AgentDescription, LkpsClient, Registration
from lkps.compatibility import require_compatible
from lkps.credentials import Credential, TokenCredential
from lkps.errors import ConfigurationError, LkpsError
from lkps.jobs import Jobs
from lkps.lease import Lease
from lkps.masking import MASKING
from lkps.reports import Reports
from lkps.settings import read_settings
from lkps.upgrades import Upgrades

logger = logging.getLogger("lkps")

_UNUSED = "no-livekit-key: the token signed with this is replaced on its way out"
_ASSIGNMENT_SECONDS = 8.0  # a little more than livekit-agents waits for a job it said yes to


class AgentServer(agents.AgentServer):
    """`livekit.agents.AgentServer`, admitted by LKPS: same decorators, same `cli.run_app(server)`.

    `lkps_url` and `credential` win over the environment; `version` and `labels` are shown by LKPS.
    All other options are those of livekit-agents, without `ws_url`, `api_key` and `api_secret`.
    """

    def __init__(
        self,
        *,
        lkps_url: str | None = None,
        credential: Credential | TokenCredential | None = None,
        version: str | None = None,
        labels: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        **options: Any,  # noqa: ANN401  livekit-agents' own, which grow with it
    ) -> None:
        super().__init__(host=host, **options)
        self._lkps_url = lkps_url
        self._lkps_credential = credential
        self._lkps_version = version
        self._lkps_labels = labels
        self._lkps_client: LkpsClient | None = None
        self._lkps_lease: Lease | None = None
        self._lkps_jobs: Jobs | None = None
        self._lkps_upgrades: Upgrades | None = None
        self._lkps_reconnecting: asyncio.Task[None] | None = None

    async def run(self, *, devmode: bool = False, unregistered: bool = False) -> None:
        """Runs until closed; an error that only a person can repair ends the program with one line.

        With `unregistered`, neither LKPS nor LiveKit is asked for anything.
        """
        if unregistered:
            await super().run(devmode=devmode, unregistered=True)
            return
        try:
            self._prepare()
            await super().run(devmode=devmode, unregistered=True)
        except LkpsError as error:
            if not self._closed:
                await self.aclose()
            _exit_quietly(f"lkps: {error}", error)

    async def drain(self, timeout: NotGivenOr[int | None] = NOT_GIVEN) -> None:
        await self._end_lease()  # first, so that no session is promised to a worker that refuses
        await super().drain(timeout)

    async def aclose(self) -> None:
        await self._end_lease()
        if self._lkps_jobs is not None:
            self._lkps_jobs.worker_closes()
        await super().aclose()
        if self._lkps_jobs is not None:
            await self._lkps_jobs.close()
        if self._lkps_client is not None:
            await self._lkps_client.aclose()

    def _prepare(self) -> None:
        require_compatible()
        settings = read_settings(
            os.environ,
            lkps_url=self._lkps_url,
            credential=self._lkps_credential,
            user_scope="Agent.Register",
        )
        if self._api_key or self._api_secret:
            raise ConfigurationError("an agent of LKPS takes no api_key and no api_secret")
        if not self._agent_name:
            raise ConfigurationError("name the agent: @server.rtc_session(agent_name=...)")
        self._ws_url = ""  # LKPS says where LiveKit is
        MASKING.install()
        self._lkps_client = LkpsClient(settings.lkps_url, settings.credential)
        self._lkps_lease = Lease(
            self._lkps_client,
            AgentDescription(
                self._agent_name, self._lkps_version, socket.gethostname(), self._lkps_labels
            ),
            changed=self._change,
        )
        self._lkps_jobs = Jobs(
            self._agent_name,
            Reports(self._lkps_client, lambda: self._lease.registration_id),
        )
        if self._entrypoint_fnc is not None:
            self._entrypoint_fnc = self._lkps_jobs.told_by(self._entrypoint_fnc)
        self.once("worker_started", self._connect)
        self.on("worker_registered", self._connected)

    @property
    def _jobs(self) -> Jobs:
        if self._lkps_jobs is None:
            raise RuntimeError("the agent server does not run")
        return self._lkps_jobs

    @property
    def _lease(self) -> Lease:
        if self._lkps_lease is None:
            raise RuntimeError("the agent server does not run")
        return self._lkps_lease

    def _connect(self) -> None:
        """What `run` does when it registers a worker, at its very end.

        Key and secret are needed to sign a token that nobody sees. They and the routing secret are
        set only now: what is set before is exported to every job process.
        """
        self._api_key = self._api_secret = _UNUSED
        if self._http_session is None:
            raise RuntimeError("the agent server has not started")
        self._lkps_upgrades = Upgrades(self._http_session, self._lease)
        self._http_session = cast("aiohttp.ClientSession", self._lkps_upgrades)
        self._proc_pool = self._jobs.watched(self._proc_pool)
        self._conn_task = asyncio.create_task(self._register_and_connect(), name="worker_conn_task")
        self._conn_task.add_done_callback(self._end_run)

    def _connected(self, *_: object) -> None:
        self._lease.connected()
        if self._lkps_upgrades is not None:
            self._lkps_upgrades.registered()

    async def _register_and_connect(self) -> None:
        self._use(await self._lease.open())
        logger.info("agent registered with LKPS", extra={"agent_name": self._agent_name})
        await self._jobs.open()
        await self._connection_task()

    def _end_run(self, connection: asyncio.Task[None]) -> None:
        if connection.cancelled() or self._close_future is None or self._close_future.done():
            return
        if (error := connection.exception()) is not None:
            self._close_future.set_exception(error)

    def _use(self, registration: Registration) -> None:
        MASKING.hide(registration.deployment)
        self._deployment = registration.deployment
        self._ws_url = registration.livekit_url

    def _change(self, registration: Registration) -> None:
        self._use(registration)
        if self._lkps_reconnecting is not None:
            self._lkps_reconnecting.cancel()
        self._lkps_reconnecting = asyncio.create_task(self._reconnect(), name="lkps_reconnect")

    async def _reconnect(self) -> None:
        """Jobs live in rooms of their own and go on; a job just accepted arrives first."""
        logger.info("LKPS changed how the agent is reached, reconnecting")
        with suppress(TimeoutError):
            async with asyncio.timeout(_ASSIGNMENT_SECONDS):
                while self._reserved_slots:  # noqa: ASYNC110  livekit-agents has no event for it
                    await asyncio.sleep(0.05)
        if self._lkps_upgrades is not None:
            await self._lkps_upgrades.close_websocket()

    async def _end_lease(self) -> None:
        if self._lkps_reconnecting is not None:
            self._lkps_reconnecting.cancel()
        if self._lkps_lease is not None:
            await self._lkps_lease.close()


def _exit_quietly(message: str, cause: LkpsError) -> NoReturn:
    """livekit-agents' CLI would log any other error with its traceback and exit with status 0."""
    task = asyncio.current_task()
    if task is not None:
        task.add_done_callback(asyncio.Task.exception)  # or asyncio says that nobody looked at it
    raise SystemExit(message) from cause
