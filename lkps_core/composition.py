"""The service put together from its ports: the same for the real adapters and for memory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from lkps_core import __version__
from lkps_core.agents.assigning import Assigning
from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent
from lkps_core.agents.registering import Registering
from lkps_core.agents.registrations import Registrations
from lkps_core.audit.refusals import RefusalLog
from lkps_core.audit.stream import Stream
from lkps_core.health import Health
from lkps_core.identity import Authenticator, Keys, KeySource, Rules
from lkps_core.ports import Clock, Probe, Randomness, Rooms, Rows, TrailRows
from lkps_core.services import Services
from lkps_core.sessions.ending import Ending
from lkps_core.sessions.model import Session
from lkps_core.sessions.planning import Planning
from lkps_core.sessions.presence import Presence
from lkps_core.sessions.starting import Starting
from lkps_core.settings import Settings
from lkps_core.tokens import TokenMint
from lkps_core.undoing import Undoing


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service needs from outside. `monotonic` is in seconds; `ping_tables` a probe."""

    clock: Clock
    monotonic: Callable[[], float]
    randomness: Randomness
    keys: KeySource
    agents: Rows[Agent]
    registrations: Registrations
    sessions: Rows[Session]
    trail: TrailRows
    rooms: Rooms
    ping_tables: Probe
    close: Callable[[], Awaitable[None]]


def compose(settings: Settings, ports: Ports) -> Services:
    """Build every use-case. Nothing is asked of the outside yet."""
    keys = Keys(ports.keys, settings.issuer, ports.clock)
    trail = Stream(ports.trail, ports.randomness(10).hex(), __version__, ports.clock)
    refusals = RefusalLog(trail, ports.clock)
    directory = Directory(ports.agents, ports.registrations, ports.clock, ports.monotonic)
    mint = TokenMint(settings.livekit_api_key, settings.livekit_api_secret)
    presence = Presence(directory, ports.rooms, ports.clock)
    undoing = Undoing()

    async def close() -> None:
        await undoing.drained()
        await refusals.close()
        await trail.drained()
        await ports.close()

    return Services(
        settings=settings,
        clock=ports.clock,
        authenticator=Authenticator(
            keys, Rules(settings.issuer, settings.tenant_id, settings.api_client_id)
        ),
        refusals=refusals,
        registering=Registering(
            settings,
            directory,
            ports.agents,
            ports.registrations,
            trail,
            mint,
            undoing,
            ports.randomness,
        ),
        assigning=Assigning(directory, ports.agents, trail),
        starting=Starting(
            settings,
            Planning(settings, mint, ports.randomness),
            directory,
            ports.sessions,
            ports.rooms,
            trail,
            presence,
            undoing,
        ),
        ending=Ending(directory, ports.sessions, ports.rooms, trail, presence),
        health=Health(_probes(keys, ports), ports.monotonic),
        close=close,
    )


def _probes(keys: Keys, ports: Ports) -> Mapping[str, Probe]:
    return {"keys": keys.ready, "livekit": ports.rooms.ping, "tables": ports.ping_tables}
