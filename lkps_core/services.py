"""The service as it is wired: the gate, the use-cases and the trail, one set for each process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lkps_core.agents.assigning import Assigning
from lkps_core.agents.registering import Registering
from lkps_core.agents.rotating import Rotating
from lkps_core.audit.refusals import RefusalLog
from lkps_core.auditing.checkpointing import Checkpointing
from lkps_core.auditing.holding import Holding
from lkps_core.auditing.indexing import Indexing
from lkps_core.auditing.inspecting import Inspecting
from lkps_core.auditing.receipts import Receipts
from lkps_core.auditing.reindexing import Reindexing
from lkps_core.auditing.retention import Retention
from lkps_core.checkup import Checkup
from lkps_core.governance.applying import Applying
from lkps_core.governance.checking import Checking
from lkps_core.governance.granting import Granting
from lkps_core.governance.limiting import Limiting
from lkps_core.governance.revoking import Revoking
from lkps_core.health import Health
from lkps_core.identity.authenticate import Authenticator
from lkps_core.policy.evidence import Evidences
from lkps_core.ports import Clock, Events
from lkps_core.sessions.ending import Ending
from lkps_core.sessions.inviting import Inviting
from lkps_core.sessions.joining import Joining
from lkps_core.sessions.listing import Listing
from lkps_core.sessions.reporting import Reporting
from lkps_core.sessions.starting import Starting
from lkps_core.sessions.watching import Watching
from lkps_core.settings import Settings
from lkps_core.sweep.sweeping import Sweeping


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    clock: Clock
    authenticator: Authenticator
    refusals: RefusalLog
    evidences: Evidences
    registering: Registering
    assigning: Assigning
    rotating: Rotating
    granting: Granting
    revoking: Revoking
    limiting: Limiting
    checking: Checking
    applying: Applying
    starting: Starting
    joining: Joining
    inviting: Inviting
    listing: Listing
    ending: Ending
    watching: Watching
    reporting: Reporting
    events: Events
    inspecting: Inspecting
    receipts: Receipts
    holding: Holding
    reindexing: Reindexing
    checkpointing: Checkpointing
    indexing: Indexing
    retention: Retention
    sweeping: Sweeping
    checkup: Checkup
    health: Health
    close: Callable[[], Awaitable[None]]
