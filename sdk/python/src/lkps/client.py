"""The registration routes of LKPS: typed answers, and an error for every other answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from lkps.api import Answer, Api
from lkps.credentials import Credential
from lkps.errors import RegistrationNotFound

_SECONDS = 10.0
_REFUSALS = {"registration_not_found": RegistrationNotFound}


@dataclass(frozen=True)
class AgentDescription:
    """What an agent says of itself when it registers."""

    agent_name: str
    version: str | None = None
    instance: str | None = None
    labels: Mapping[str, str] | None = None

    def to_wire(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Renewal:
    """The lease as it goes on; `token` is absent while the one held is still good."""

    deployment: str = field(repr=False)
    routing_version: int
    token: str | None = field(repr=False)
    expires_at: datetime
    renew_after: int

    @classmethod
    def from_wire(cls, answer: Mapping[str, Any]) -> Self:
        return cls(
            deployment=str(answer["deployment"]),
            routing_version=int(answer["routing_version"]),
            token=answer.get("token"),
            expires_at=datetime.fromisoformat(answer["expires_at"]),
            renew_after=int(answer["renew_after"]),
        )


@dataclass(frozen=True)
class Registration:
    """A registered agent: `deployment` is the routing secret, `token` opens LiveKit's `/agent`."""

    registration_id: str
    deployment: str = field(repr=False)
    routing_version: int
    token: str = field(repr=False)
    livekit_url: str
    expires_at: datetime
    renew_after: int

    @classmethod
    def from_wire(cls, answer: Mapping[str, Any]) -> Self:
        return cls(
            registration_id=str(answer["registration_id"]),
            deployment=str(answer["deployment"]),
            routing_version=int(answer["routing_version"]),
            token=str(answer["token"]),
            livekit_url=str(answer["livekit_url"]),
            expires_at=datetime.fromisoformat(answer["expires_at"]),
            renew_after=int(answer["renew_after"]),
        )


@dataclass(frozen=True)
class JobReport:
    """What became of a session's job; `reason` is a class of cause, never an error's text.

    At most 100 characters of `a-z`, `0-9`, `_`, `-` and space.
    """

    session_id: str
    participant_identity: str
    outcome: Literal["accepted", "completed", "failed"]
    reason: str | None = None

    def to_wire(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if value is not None}


class LkpsClient:
    """Raises an `LkpsError` and nothing else: `Refused`, `Unavailable`, or the credential's."""

    def __init__(self, lkps_url: str, credential: Credential) -> None:
        self._api = Api(lkps_url, credential, _REFUSALS)

    async def register(self, agent: AgentDescription) -> Registration:
        answer = await self._call("POST", "register", body=agent.to_wire())
        with answer.understood():
            return Registration.from_wire(answer.body)

    async def renew(
        self, registration_id: str, *, token_expires_at: datetime, routing_version: int
    ) -> Renewal:
        expiry = token_expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        answer = await self._call(
            "POST",
            "registrations",
            registration_id,
            "renew",
            body={"token_expires_at": expiry, "routing_version": routing_version},
        )
        with answer.understood():
            return Renewal.from_wire(answer.body)

    async def deregister(self, registration_id: str) -> None:
        await self._call("DELETE", "registrations", registration_id)

    async def report_job(self, registration_id: str, report: JobReport) -> None:
        """Of a registration of the caller's, also of one that is over."""
        await self._call("POST", "registrations", registration_id, "jobs", body=report.to_wire())

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _call(self, method: str, *path: str, body: object = None) -> Answer:
        return await self._api.call(method, "agent", *path, body=body, seconds=_SECONDS)
