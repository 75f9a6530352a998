"""The registration routes of LKPS over HTTP: typed answers, and an error for every other answer."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

import aiohttp

from lkps.credentials import Credential
from lkps.errors import CredentialError, LkpsError, Refused, RegistrationNotFound, Unavailable

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LATER = frozenset({408, 429})
_FOREIGN = "the answer is not one that LKPS gives"


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
        self._api = f"{lkps_url}/api/agent"
        self._credential = credential
        self._session: aiohttp.ClientSession | None = None

    async def register(self, agent: AgentDescription) -> Registration:
        answer = await self._call("POST", "/register", agent.to_wire())
        with answer.understood():
            return Registration.from_wire(answer.body)

    async def renew(
        self, registration_id: str, *, token_expires_at: datetime, routing_version: int
    ) -> Renewal:
        expiry = token_expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        answer = await self._call(
            "POST",
            f"/registrations/{registration_id}/renew",
            {"token_expires_at": expiry, "routing_version": routing_version},
        )
        with answer.understood():
            return Renewal.from_wire(answer.body)

    async def deregister(self, registration_id: str) -> None:
        await self._call("DELETE", f"/registrations/{registration_id}")

    async def report_job(self, registration_id: str, report: JobReport) -> None:
        """Of a registration of the caller's, also of one that is over."""
        await self._call("POST", f"/registrations/{registration_id}/jobs", report.to_wire())

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _call(self, method: str, path: str, body: object = None) -> "_Answer":
        request_id = str(uuid.uuid4())
        headers = {
            "Authorization": f"Bearer {await self._access_token()}",
            "X-Request-ID": request_id,
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True)
        try:
            async with self._session.request(
                method, self._api + path, json=body, headers=headers, allow_redirects=False
            ) as response:
                request_id = response.headers.get("X-Request-ID", request_id)
                answer = _Answer(response.status, await _json(response), request_id)
                retry_after = response.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"LKPS cannot be reached: {type(error).__name__}") from error
        if not 200 <= answer.status < 300:
            raise answer.error(retry_after)
        return answer

    async def _access_token(self) -> str:
        try:
            return await self._credential.access_token()
        except LkpsError:
            raise
        except Exception as error:  # a credential of the application's own may raise anything
            kind = type(self._credential).__name__
            raise CredentialError(f"{kind} gave no token: {type(error).__name__}") from error


@dataclass(frozen=True)
class _Answer:
    status: int
    body: Mapping[str, Any] = field(repr=False)
    request_id: str

    def error(self, retry_after: str) -> Unavailable | Refused:
        """A problem document's error (RFC 9457), or one for what a gateway answers in its place."""
        if self.status in _LATER or self.status >= 500:
            seconds = float(retry_after) if retry_after.isdecimal() else 0.0
            detail = f"LKPS answers {self.status} {self._code} (request {self.request_id})"
            return Unavailable(detail, retry_after=seconds)
        kind = RegistrationNotFound if self._code == "registration_not_found" else Refused
        detail = str(self.body.get("detail", _FOREIGN))
        return kind(self.status, self._code, detail, self.request_id)

    @contextmanager
    def understood(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(self.status, self._code, _FOREIGN, self.request_id) from error

    @property
    def _code(self) -> str:
        return str(self.body.get("code", "unknown"))


async def _json(response: aiohttp.ClientResponse) -> Mapping[str, Any]:
    try:
        body = await response.json(content_type=None)
    except ValueError:  # not JSON (or not text): a gateway's own page
        return {}
    return body if isinstance(body, dict) else {}
