"""Which adapters the service runs on; the only lazy imports, for the sake of cold starts."""

import asyncio
import gc
import importlib
import logging
import os
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lkps_core.composition import Ports, compose
from lkps_core.errors import Misconfigured
from lkps_core.lazy import LazyCheckpoints, LazySigner
from lkps_core.ports import Environment
from lkps_core.services import Services
from lkps_core.settings import Settings, SettingsError

if TYPE_CHECKING:
    from lkps_core.adapters.tables import TablesAccount

log = logging.getLogger(__name__)

_SLOW_IMPORTS = (
    "lkps_core.adapters.tables",
    "lkps_core.adapters.livekit",
    "lkps_core.adapters.livekit_events",
    "lkps_core.adapters.entra",
)


def warm_up() -> threading.Thread:
    """Import the adapters in the background, off the first request's path.

    Then collect garbage again, without ever looking at what the imports made.
    """
    thread = threading.Thread(target=_warm_up, name="warm-up", daemon=True)
    thread.start()
    return thread


class Wired:
    """The process's Services, made at the first request and kept."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._services: Services | None = None

    async def __call__(self) -> Services:
        """Raise Misconfigured, having logged what is wrong, while the settings cannot be used."""
        if self._services is None:
            self._services = wire(self._environment)
        return self._services


def wire(environment: Environment) -> Services:
    """Services on the real adapters; must run inside the event loop that will use them."""
    try:
        settings = Settings.read(environment)
    except SettingsError as error:
        log.error("the settings cannot be used", extra={"problems": error.problems})  # noqa: TRY400
        raise Misconfigured(reason="settings") from error
    return compose(settings, _real_ports(settings))


def _real_ports(settings: Settings) -> Ports:
    from lkps_core.adapters.entra import EntraKeySource
    from lkps_core.adapters.livekit import LiveKitRooms
    from lkps_core.adapters.livekit_events import LiveKitEvents
    from lkps_core.adapters.tables import (
        TableIndex,
        TableRegistrations,
        TableRows,
        TableSessions,
        TableTrailRows,
    )
    from lkps_core.agents.model import Agent
    from lkps_core.auditing.holds import Hold
    from lkps_core.auditing.indexing import Indexed, Reindex
    from lkps_core.checkup import Heard
    from lkps_core.policy.model import Grant, PlatformLimits, Revocation
    from lkps_core.sweep.model import Turn

    logging.getLogger("azure").setLevel(logging.WARNING)  # it tells every request, at a cost
    account = _account(settings)
    rooms = LiveKitRooms(
        settings.livekit_api_url, settings.livekit_api_key, settings.livekit_api_secret
    )

    checkpoints, signer = LazyCheckpoints(settings), LazySigner(settings)

    async def close() -> None:
        await asyncio.gather(rooms.close(), account.close(), checkpoints.close(), signer.close())

    return Ports(
        clock=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        randomness=os.urandom,
        keys=EntraKeySource(settings.authority, settings.tenant_id),
        agents=TableRows(account, "agents", Agent),
        registrations=TableRegistrations(account),
        grants=TableRows(account, "grants", Grant),
        revocations=TableRows(account, "revocations", Revocation),
        limits=TableRows(account, "platform", PlatformLimits),
        sessions=TableSessions(account),
        trail=TableTrailRows(account),
        index=TableIndex(account),
        indexed=TableRows(account, "auditindex", Indexed),
        reindexes=TableRows(account, "auditindex", Reindex),
        holds=TableRows(account, "holds", Hold),
        turns=TableRows(account, "platform", Turn),
        heard=TableRows(account, "platform", Heard),
        checkpoints=checkpoints,
        signer=signer,
        rooms=rooms,
        events=LiveKitEvents(settings.livekit_keys),
        ping_tables=account.ping,
        close=close,
    )


def _account(settings: Settings) -> "TablesAccount":
    from lkps_core.adapters.tables import TablesAccount

    if settings.tables_connection_string is not None:
        try:
            return TablesAccount.from_connection_string(settings.tables_connection_string)
        except ValueError:  # its text may repeat the string, which holds a key
            log.error("LKPS_TABLES_CONNECTION_STRING cannot be used")  # noqa: TRY400
            raise Misconfigured(reason="settings") from None
    from lkps_core.adapters.tables.credential import ManagedIdentityCredential

    assert settings.tables_endpoint is not None  # noqa: S101  settings require one of the two
    return TablesAccount.from_endpoint(settings.tables_endpoint, ManagedIdentityCredential())


def _warm_up() -> None:
    try:
        _import_adapters()
    finally:
        gc.freeze()
        gc.enable()


def _import_adapters() -> None:
    for name in _SLOW_IMPORTS:
        try:
            importlib.import_module(name)
        except ImportError:  # the first request meets it again, where it can be told
            log.exception("an adapter cannot be imported")
