"""The session client: an application starts sessions with agents, and sees to them."""

import os
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Literal, Self, TypeVar

from lkps.api import Answer, Api
from lkps.credentials import Credential, TokenCredential
from lkps.errors import OF_SESSIONS, ConfigurationError
from lkps.retries import Clock, Deadline
from lkps.session_answers import Invitation, SessionStatus, StartedSession
from lkps.settings import read_settings

T = TypeVar("T")


class SessionClient:
    """The sessions of one application; one client serves a whole process.

    `lkps_url` and `credential` win over the environment, which says the rest as it does for an
    agent; `ConfigurationError` names what is missing.

    A call is answered or fails within `timeout` seconds, besides those that `wait_for_agent` and
    the credential take. Until then it is sent again when LKPS cannot be reached, answers 5xx, 408
    or 429, or asks for it with `edited_meanwhile`. That is safe: a start has an idempotency key,
    and of what else is sent twice nothing is left but a token that nobody has, or an invitation.

    Every method raises an `LkpsError` and nothing else: `Refused`, or its subclass for what a
    client decides on; `Unavailable` when LKPS did not answer in time; the credential's.
    """

    def __init__(
        self,
        *,
        lkps_url: str | None = None,
        credential: Credential | TokenCredential | None = None,
        timeout: float = 15.0,
        clock: Clock | None = None,
    ) -> None:
        if timeout <= 0:
            raise ConfigurationError("a SessionClient's timeout must be more than 0 seconds")
        settings = read_settings(
            os.environ, lkps_url=lkps_url, credential=credential, user_scope="Session.Start"
        )
        self._api = Api(settings.lkps_url, settings.credential, OF_SESSIONS)
        self._timeout = timeout
        self._clock = clock or Clock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._api.aclose()

    async def start(
        self,
        agent_name: str,
        *,
        participant_identity: str | None = None,
        participant_name: str | None = None,
        participant_metadata: str | None = None,
        participant_attributes: Mapping[str, str] | None = None,
        metadata: str | None = None,
        wait_for_agent: int = 0,
        idempotency_key: str | None = None,
    ) -> StartedSession:
        """A new session with the agent, and a token for the application or whom it speaks for.

        `participant_identity` is for applications: a user's is derived. `metadata` is the agent's
        job's. `wait_for_agent` is how many seconds to wait for it to be in the room, 10 at most:
        `agent_status` says whether it is. Every call is a session of its own, unless the
        `idempotency_key` is one that was sent before: then it is that one's.

        After `Unavailable`, there may be a session: LKPS ends it when nobody joins.
        """
        answer = await self._call(
            "POST",
            "session",
            "start",
            body=_said(
                agent_name=agent_name,
                participant_identity=participant_identity,
                participant_name=participant_name,
                participant_metadata=participant_metadata,
                participant_attributes=participant_attributes,
                metadata=metadata,
                wait_for_agent=wait_for_agent,
            ),
            headers={"Idempotency-Key": idempotency_key or uuid.uuid4().hex},
            waiting=wait_for_agent,
        )
        with answer.understood():
            return StartedSession.from_wire(answer.body)

    async def token(
        self,
        session_id: str,
        *,
        participant_name: str | None = None,
        participant_metadata: str | None = None,
        participant_attributes: Mapping[str, str] | None = None,
    ) -> StartedSession:
        """One more token, for the same participant; LKPS remembers nothing else of them."""
        body = _said(
            participant_name=participant_name,
            participant_metadata=participant_metadata,
            participant_attributes=participant_attributes,
        )
        return await self._join(session_id, body)

    async def invite(self, session_id: str) -> Invitation:
        """Of a session that the application started; one whose answer was lost lapses unused."""
        answer = await self._call("POST", "session", session_id, "invitations", body={})
        with answer.understood():
            return Invitation.from_wire(answer.body)

    async def join(
        self,
        session_id: str,
        invitation: str,
        *,
        participant_identity: str | None = None,
        participant_name: str | None = None,
        participant_metadata: str | None = None,
        participant_attributes: Mapping[str, str] | None = None,
    ) -> StartedSession:
        """A token for another's session; `token` gives the next, the invitation is used up.

        Whoever used it may send it again: an answer that was lost is asked for once more.
        """
        body = _said(
            invitation=invitation,
            participant_identity=participant_identity,
            participant_name=participant_name,
            participant_metadata=participant_metadata,
            participant_attributes=participant_attributes,
        )
        return await self._join(session_id, body)

    async def get(self, session_id: str) -> SessionStatus:
        """The session as its room is now, whether its agent is there."""
        return _status(await self._call("GET", "session", session_id))

    async def end(self, session_id: str) -> SessionStatus:
        """For everyone in it; to end an ended session changes nothing."""
        return _status(await self._call("POST", "session", session_id, "end", body={}))

    async def list(
        self, agent_name: str, *, state: Literal["open", "ended"] | None = None
    ) -> AsyncIterator[SessionStatus]:
        """The application's sessions with the agent by id, read page by page; all, for its owners.

        They are as LKPS last heard of them: only `get` looks into the room.
        """
        query = _said(agent_name=agent_name, state=state)
        while True:
            answer = await self._call("GET", "sessions", query=query)
            with answer.understood():
                sessions = [SessionStatus.from_wire(one) for one in answer.body["sessions"]]
                after = answer.body.get("next")
            for session in sessions:
                yield session
            if after is None:
                return
            query["after"] = str(after)

    async def _join(self, session_id: str, body: object) -> StartedSession:
        answer = await self._call("POST", "session", session_id, "token", body=body)
        with answer.understood():
            return StartedSession.from_wire(answer.body)

    async def _call(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        waiting: int = 0,
    ) -> Answer:
        """Half of the time is one attempt's, so that one that hangs is not the only one."""

        async def attempt(seconds: float) -> Answer:
            return await self._api.call(
                method, *path, query=query, body=body, headers=headers, seconds=seconds
            )

        deadline = Deadline(self._timeout + waiting, self._timeout / 2 + waiting)
        return await deadline.keep(attempt, self._clock)


def _status(answer: Answer) -> SessionStatus:
    with answer.understood():
        return SessionStatus.from_wire(answer.body)


def _said(**members: T | None) -> dict[str, T]:
    return {name: value for name, value in members.items() if value is not None}
