"""What the API does, one entry an operation: the table that routes, describes and tests read."""

from lkps_core.api.operations.agents import AGENTS
from lkps_core.api.operations.audit import AUDITING
from lkps_core.api.operations.authorization import AUTHORIZATION
from lkps_core.api.operations.grants import GRANTS
from lkps_core.api.operations.operation import EVERY_OPERATION_MAY_REFUSE, Operation
from lkps_core.api.operations.platform import PLATFORM
from lkps_core.api.operations.registrations import REGISTRATIONS
from lkps_core.api.operations.sessions import SESSIONS
from lkps_core.api.operations.sweep import SWEEP

__all__ = ["EVERY_OPERATION_MAY_REFUSE", "OPERATIONS", "Operation"]

OPERATIONS = (
    *REGISTRATIONS,
    *AGENTS,
    *GRANTS,
    *SESSIONS,
    *AUTHORIZATION,
    *PLATFORM,
    *AUDITING,
    *SWEEP,
)
