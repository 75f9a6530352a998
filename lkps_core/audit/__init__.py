"""The audit trail: what is recorded, and how it becomes durable before anyone is answered."""

from lkps_core.audit.event import Action, Event, Outcome
from lkps_core.audit.refusals import RefusalLog
from lkps_core.audit.stream import Stream

__all__ = ["Action", "Event", "Outcome", "RefusalLog", "Stream"]
