"""On whose account something is done: an authenticated caller's, or the service's own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lkps_core.audit.event import Action, Event, Outcome, actor
from lkps_core.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request.

    `inbound_request_id` is what the caller or the gateway sent, when it could be used.
    """

    caller: Principal
    at: datetime
    operation: str
    request_id: str
    inbound_request_id: str | None = None

    def event(self, action: Action, outcome: Outcome = "success", **members: Any) -> Event:  # noqa: ANN401
        """An event of this call; `members` are the Event's own."""
        return Event(
            at=self.at,
            action=action,
            outcome=outcome,
            operation=self.operation,
            **actor(self.caller),
            request_id=self.request_id,
            inbound_request_id=self.inbound_request_id,
            **members,
        )


@dataclass(frozen=True, slots=True)
class OwnAct:
    """What LKPS does by itself: when its timer is due, or LiveKit told it something."""

    at: datetime
    operation: str

    def event(self, action: Action, outcome: Outcome = "success", **members: Any) -> Event:  # noqa: ANN401
        """An event that nobody called for; `members` are the Event's own."""
        return Event(
            at=self.at, action=action, outcome=outcome, operation=self.operation, **members
        )


type Account = Call | OwnAct
