"""The service as it is wired: the gate, the use-cases and the trail, one set for each process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lkps_core.agents.assigning import Assigning
from lkps_core.agents.registering import Registering
from lkps_core.audit.refusals import RefusalLog
from lkps_core.health import Health
from lkps_core.identity.authenticate import Authenticator
from lkps_core.ports import Clock
from lkps_core.sessions.ending import Ending
from lkps_core.sessions.starting import Starting
from lkps_core.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    clock: Clock
    authenticator: Authenticator
    refusals: RefusalLog
    registering: Registering
    assigning: Assigning
    starting: Starting
    ending: Ending
    health: Health
    close: Callable[[], Awaitable[None]]
