"""One authenticated request: who called, when, and under which ids the trail can find it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lkps_core.audit.event import Action, Event, Outcome, actor
from lkps_core.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class Call:
    """`inbound_request_id` is what the caller or the gateway sent, when it could be used."""

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
