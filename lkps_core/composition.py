"""The service put together from its ports: the same for the real adapters and for memory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from lkps_core import __version__
from lkps_core.agents.assigning import Assigning
from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent
from lkps_core.agents.registering import Registering
from lkps_core.agents.registrations import Registrations
from lkps_core.agents.rotating import Rotating
from lkps_core.audit.refusals import RefusalLog
from lkps_core.audit.stream import Stream
from lkps_core.auditing.asking import Asking
from lkps_core.auditing.checkpointing import Checkpointing
from lkps_core.auditing.exporting import Exporting
from lkps_core.auditing.holding import Holding
from lkps_core.auditing.holds import Hold
from lkps_core.auditing.index import Index
from lkps_core.auditing.indexing import Indexed, Indexing, Reindex
from lkps_core.auditing.inspecting import Inspecting
from lkps_core.auditing.ledger import Ledger
from lkps_core.auditing.receipts import Receipts
from lkps_core.auditing.reindexing import Reindexing
from lkps_core.auditing.retention import Retention
from lkps_core.checkup import Checkup, Heard
from lkps_core.governance.applying import Applying
from lkps_core.governance.checking import Checking
from lkps_core.governance.clearing import Clearing
from lkps_core.governance.granting import Granting
from lkps_core.governance.limiting import Limiting
from lkps_core.governance.revoking import Revoking
from lkps_core.health import Health
from lkps_core.identity import Authenticator, Keys, KeySource, Rules
from lkps_core.policy.admitting import Admitting
from lkps_core.policy.authorizing import Authorizing
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.model import Grant, PlatformLimits, Revocation
from lkps_core.policy.quotas import Quotas
from lkps_core.policy.usage import UsageBook
from lkps_core.ports import (
    CheckpointSigner,
    CheckpointStore,
    Clock,
    Events,
    Probe,
    Randomness,
    Rooms,
    Rows,
    TrailRows,
)
from lkps_core.services import Services
from lkps_core.sessions.closing import Closing
from lkps_core.sessions.ending import Ending
from lkps_core.sessions.inviting import Inviting
from lkps_core.sessions.issuing import Issuing
from lkps_core.sessions.joining import Joining
from lkps_core.sessions.listing import Listing
from lkps_core.sessions.live import Sessions
from lkps_core.sessions.planning import Planning
from lkps_core.sessions.presence import Presence
from lkps_core.sessions.reporting import Reporting
from lkps_core.sessions.starting import Starting
from lkps_core.sessions.watching import Watching
from lkps_core.settings import Settings
from lkps_core.sweep.attending import Attending
from lkps_core.sweep.comparing import Comparing
from lkps_core.sweep.model import Turn
from lkps_core.sweep.sweeping import Sweeping
from lkps_core.sweep.tidying import Tidying
from lkps_core.sweep.turns import Turns
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
    grants: Rows[Grant]
    revocations: Rows[Revocation]
    limits: Rows[PlatformLimits]
    sessions: Sessions
    trail: TrailRows
    index: Index
    indexed: Rows[Indexed]
    reindexes: Rows[Reindex]
    holds: Rows[Hold]
    turns: Rows[Turn]
    heard: Rows[Heard]
    checkpoints: CheckpointStore
    signer: CheckpointSigner
    rooms: Rooms
    events: Events
    ping_tables: Probe
    close: Callable[[], Awaitable[None]]


def compose(settings: Settings, ports: Ports) -> Services:
    """Build every use-case. Nothing is asked of the outside yet."""
    keys = Keys(ports.keys, settings.issuer, ports.clock)
    trail = Stream(ports.trail, ports.randomness(10).hex(), __version__, ports.clock)
    refusals = RefusalLog(trail, ports.clock)
    directory = Directory(ports.agents, ports.registrations, ports.clock, ports.monotonic)
    evidences = Evidences(directory, ports.grants, ports.revocations, ports.limits, ports.monotonic)
    usage = UsageBook(ports.sessions, ports.rooms, ports.clock, ports.monotonic)
    authorizing = Authorizing(directory, evidences, usage)
    mint = TokenMint(settings.livekit_api_key, settings.livekit_api_secret)
    presence = Presence(directory, ports.rooms, ports.clock)
    undoing = Undoing()
    closing = Closing(ports.sessions, ports.rooms, trail, usage, ports.randomness)
    watching = Watching(
        settings,
        directory,
        evidences,
        ports.sessions,
        ports.rooms,
        trail,
        closing,
        undoing,
        ports.clock,
        ports.randomness,
    )
    planning = Planning(settings, mint, ports.randomness)
    issuing = Issuing(planning, ports.sessions, trail)
    admitting = Admitting(Quotas(ports.monotonic), evidences)
    new_mode = settings.new_agents_mode
    assigning = Assigning(new_mode, directory, evidences, ports.agents, trail)
    granting = Granting(directory, evidences, ports.grants, trail)
    ledger = Ledger(ports.checkpoints, ports.signer, settings.origin)
    indexing = Indexing(
        ports.trail, ports.index, ports.indexed, ports.reindexes, ledger, ports.clock
    )
    asking = Asking(ports.trail, ports.index, ports.indexed)
    limiting = Limiting(evidences, ports.limits, trail)

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
        evidences=evidences,
        registering=Registering(
            settings,
            directory,
            evidences,
            ports.agents,
            ports.registrations,
            trail,
            mint,
            undoing,
            ports.randomness,
        ),
        assigning=assigning,
        rotating=Rotating(settings.renew_seconds, directory, ports.agents, trail),
        granting=granting,
        revoking=Revoking(
            evidences,
            ports.revocations,
            ports.registrations,
            Clearing(
                settings.installation,
                evidences,
                ports.sessions,
                ports.rooms,
                closing,
                undoing,
                ports.clock,
            ),
            trail,
            settings.agent_token_seconds,
        ),
        limiting=limiting,
        checking=Checking(
            directory,
            Admitting(Quotas(ports.monotonic), evidences),
            authorizing,
            settings.session_max_seconds,
        ),
        applying=Applying(
            new_mode,
            Quotas(ports.monotonic),
            evidences,
            ports.agents,
            ports.grants,
            ports.limits,
            assigning,
            granting,
            limiting,
            trail,
        ),
        starting=Starting(
            settings,
            planning,
            authorizing,
            admitting,
            usage,
            ports.sessions,
            ports.rooms,
            trail,
            issuing,
            presence,
            watching,
            undoing,
        ),
        joining=Joining(
            settings, authorizing, admitting, ports.sessions, issuing, presence, watching
        ),
        inviting=Inviting(ports.sessions, trail, ports.randomness),
        listing=Listing(directory, ports.sessions, presence),
        ending=Ending(directory, ports.sessions, presence, watching, closing),
        watching=watching,
        reporting=Reporting(directory, ports.registrations, ports.sessions, trail, watching),
        events=ports.events,
        inspecting=Inspecting(
            Quotas(ports.monotonic),
            directory,
            asking,
            Exporting(ports.trail, ledger),
            ledger,
            trail,
        ),
        receipts=Receipts(directory, asking, ledger),
        holding=Holding(ports.holds, trail),
        reindexing=Reindexing(indexing, trail),
        checkpointing=Checkpointing(ports.trail, ledger, ports.clock),
        indexing=indexing,
        retention=Retention(
            ports.trail,
            ports.index,
            ports.indexed,
            ports.holds,
            trail,
            ports.clock,
            settings.audit_retention_days,
        ),
        sweeping=_sweeping(settings, ports, trail, watching, closing),
        checkup=Checkup(
            settings, ports.rooms, ports.heard, trail, ports.monotonic, ports.randomness
        ),
        health=Health(_probes(keys, ports), ports.monotonic),
        close=close,
    )


def _sweeping(
    settings: Settings, ports: Ports, trail: Stream, watching: Watching, closing: Closing
) -> Sweeping:
    clock = ports.clock
    attending = Attending(ports.sessions, ports.rooms, trail, watching, closing, clock)
    return Sweeping(
        Turns(ports.turns, clock, ports.randomness),
        ports.sessions,
        attending,
        Comparing(settings.installation, ports.sessions, ports.rooms, trail, attending, clock),
        Tidying(ports.registrations, ports.revocations, trail, clock),
        trail,
        clock,
        ports.monotonic,
    )


def _probes(keys: Keys, ports: Ports) -> Mapping[str, Probe]:
    return {"keys": keys.ready, "livekit": ports.rooms.ping, "tables": ports.ping_tables}
