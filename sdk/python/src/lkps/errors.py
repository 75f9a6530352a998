"""Errors: what can go wrong between an application and LKPS, a class for each remedy."""

from collections.abc import Iterable, Mapping


class LkpsError(Exception):
    """Base of everything the SDK raises by itself."""


class ConfigurationError(LkpsError):
    """The environment or the installation is wrong; the message says what to change."""


class CredentialError(LkpsError):
    """The identity provider refused to issue an access token."""


class Unavailable(LkpsError):  # noqa: N818
    """LKPS or the identity provider did not answer, or asked to come back later.

    `request_id` is that of the request to LKPS, when there was one.
    """

    def __init__(
        self, detail: str, *, retry_after: float = 0.0, request_id: str | None = None
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.request_id = request_id


class Refused(LkpsError):  # noqa: N818
    """LKPS's answer is no; `code` is stable, `request_id` finds it in LKPS's records.

    `errors` names the members of the body that were not accepted: `pointer` (RFC 6901), `detail`.
    `retry_after` is in seconds, 0 when LKPS does not say. `advice` is what to do about it where
    that is not the same for everyone, and is empty mostly.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        request_id: str,
        errors: Iterable[Mapping[str, str]] = (),
        *,
        retry_after: float = 0.0,
        advice: str = "",
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.advice = advice
        usual = _ADVICE.get(code) or _ADVICE.get(status, "")
        super().__init__(
            f"LKPS refused: {detail}{self._members()} ({status} {code}, request {request_id})"
            f"{f'. {advice}' if advice else usual}"
        )

    def _members(self) -> str:
        return "".join(
            f"; {one.get('pointer', '')} {one.get('detail') or one.get('code', '')}"
            for one in self.errors
        )


class RegistrationNotFound(Refused):
    """The registration is over: its lease expired, or it was ended."""


class AgentNotCallable(Refused):
    """There is no such agent, or this caller may not call it: LKPS does not say which."""


class CallerBlocked(Refused):
    """An administrator of LKPS blocked the application or the user."""


class PermissionLacking(Refused):
    """The access token has neither the app role nor the scope that this needs."""


class AgentOffline(Refused):
    """No instance of the agent is online, where LKPS is set to start no session without one."""


class TooManySessions(Refused):
    """As many sessions as allowed are open."""


class RateLimited(Refused):
    """Too many starts or refusals of this caller; `retry_after` says when the next may come."""


class SessionNotFound(Refused):
    """There is no such session, or it is not the caller's."""


class SessionEnded(Refused):
    """The session has ended; a start with a key of its own starts another."""


class KeyReused(Refused):
    """The idempotency key was sent before, with another request."""


class InvitationInvalid(Refused):
    """The invitation was used or has expired, or never was one to that session."""


class TooManyInvitations(Refused):
    """As many invitations as can be are unused; each expires by itself."""


class TooManyGuests(Refused):
    """As many guests as can be were let into that session."""


class EditedMeanwhile(Refused):
    """Others kept changing the session in the same moments."""


OF_SESSIONS: Mapping[str, type[Refused]] = {
    "agent_not_callable": AgentNotCallable,
    "agent_offline": AgentOffline,
    "caller_blocked": CallerBlocked,
    "edited_meanwhile": EditedMeanwhile,
    "idempotency_key_reused": KeyReused,
    "invitation_invalid": InvitationInvalid,
    "permission_lacking": PermissionLacking,
    "rate_limited": RateLimited,
    "session_ended": SessionEnded,
    "session_not_found": SessionNotFound,
    "too_many_guests": TooManyGuests,
    "too_many_invitations": TooManyInvitations,
    "too_many_sessions": TooManySessions,
}
"""By code: what a client of sessions decides on. Codes that are not here are `Refused`."""

_ADVICE: Mapping[str | int, str] = {
    "agent_not_callable": ". Look at the agent's name, or ask one of its owners for a grant",
    "agent_not_runnable": ". Ask an administrator of LKPS to be a runner of this agent",
    "agent_offline": ". Try again once the agent runs",
    "body_invalid": ". Change what it names",
    "edited_meanwhile": ". Try again",
    "idempotency_key_reused": ". Use one key for one start",
    "permission_lacking": (
        ". Ask an Entra administrator for it; a managed identity sees a new role within a day"
    ),
    "session_ended": ". Start another one, under another idempotency key",
    "session_not_found": ". Look at its id; only whoever started it, or was let in, may see it",
    "too_many_guests": ". Start another session",
    "too_many_sessions": ". End some, or ask the agent's owners for more",
    401: ". Check AZURE_TENANT_ID, AZURE_CLIENT_ID and LKPS_API_CLIENT_ID",
    404: ". Check LKPS_URL",
}
