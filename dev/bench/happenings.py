"""What happens in an installation, as the events that the product records of it."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from lkps_core.agents.names import id_of
from lkps_core.audit.event import Event
from lkps_core.call import Call
from lkps_core.identity.principal import Principal
from lkps_core.sessions.naming import application_identity, room_name

AGENTS = ("archivist", *(f"agent-{number:02}" for number in range(1, 40)))
APPLICATIONS = tuple(str(uuid.uuid5(uuid.NAMESPACE_OID, f"app {n}")) for n in range(300))

_USERS = tuple(str(uuid.uuid5(uuid.NAMESPACE_OID, f"user {n}")) for n in range(600))
_TENANT = str(uuid.uuid5(uuid.NAMESPACE_OID, "tenant"))
_REASONS = ("agent_unknown", "not_granted", "starts_per_minute", "body_invalid", "token_expired")
_LIFETIME = timedelta(minutes=5)

type Happening = Callable[[datetime], Event]


class Happenings:
    """Of a hundred events three are refusals, two registrations, and about one each a changed grant
    and somebody reading the trail; the others are sessions: authorized, perhaps once more, ended.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._kinds = {
            self._session: 43.0,
            self._refusal: 3.0,
            self._registration: 2.0,
            self._grant: 0.7,
            self._read: 1.0,
        }

    def some(self) -> Sequence[Happening]:
        """One or more that belong together, in their order."""
        [begin] = self._random.choices([*self._kinds], [*self._kinds.values()])
        return begin(self._caller(), self._often_the_first(AGENTS))

    def _session(self, caller: Principal, agent_name: str) -> list[Happening]:
        session_id = id_of(agent_name, self._random.randbytes(16))
        room = room_name("bench", session_id)
        members = {"agent_name": agent_name, "session_id": session_id, "room_name": room}
        authorized = partial(self._authorized, caller, members)
        times = self._random.choice((1, 1, 1, 2))
        return [*[authorized] * times, partial(self._ended, caller, members)]

    def _authorized(self, caller: Principal, members: dict[str, Any], at: datetime) -> Event:
        return self._call(caller, at, "session_start").event(
            "session.authorized",
            **members,
            participant_identity=application_identity(members["session_id"]),
            token_sha256=self._digest(),
            token_expires_at=at + _LIFETIME,
            rule="granted",
            grant_id=self._digest(),
        )

    def _ended(self, caller: Principal, members: dict[str, Any], at: datetime) -> Event:
        call = self._call(caller, at, "session_end")
        return call.event("session.ended", **members, reason="ended_by_starter", rule="starter")

    def _refusal(self, caller: Principal, agent_name: str) -> list[Happening]:
        reason = self._random.choice(_REASONS)
        return [
            lambda at: self._call(caller, at, "session_start").event(
                "request.refused", "refused", reason=reason, agent_name=agent_name, rule=reason
            )
        ]

    def _registration(self, caller: Principal, agent_name: str) -> list[Happening]:
        return [
            lambda at: self._call(caller, at, "agent_register").event(
                "agent.registered",
                agent_name=agent_name,
                registration_id=id_of(agent_name, self._random.randbytes(16)),
                routing_version=1,
                token_sha256=self._digest(),
                token_expires_at=at + _LIFETIME,
                rule="runner",
            )
        ]

    def _grant(self, caller: Principal, agent_name: str) -> list[Happening]:
        return [
            lambda at: self._call(caller, at, "grant_change").event(
                "grant.changed",
                agent_name=agent_name,
                grant_id=self._digest(),
                before={"max_session_seconds": 1800},
                after={"max_session_seconds": 3600},
            )
        ]

    def _read(self, caller: Principal, agent_name: str) -> list[Happening]:
        told = {"question": {"agent_name": agent_name}, "rows": 100}
        return [
            lambda at: self._call(caller, at, "audit").event(
                "audit.read", agent_name=agent_name, after=told
            )
        ]

    def _caller(self) -> Principal:
        """As often an application for itself as one for a user."""
        application = self._often_the_first(APPLICATIONS)
        uti = f"{self._random.getrandbits(88):022x}"
        if self._random.random() < 0.5:
            return Principal("app", _TENANT, application, application, uti, frozenset())
        user = self._often_the_first(_USERS)
        return Principal("user", _TENANT, user, application, uti, frozenset())

    def _often_the_first(self, names: tuple[str, ...]) -> str:
        """Each as one to its place: the first of 300 every eighth time, of 40 every fifth."""
        return names[int((len(names) + 1) ** self._random.random()) - 1]

    def _call(self, caller: Principal, at: datetime, operation: str) -> Call:
        request_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        return Call(caller, at, operation, request_id)

    def _digest(self) -> str:
        return self._random.randbytes(32).hex()
