"""Errors: what can go wrong between an agent and LKPS, a class for each remedy."""

from collections.abc import Iterable, Mapping


class LkpsError(Exception):
    """Base of everything the SDK raises by itself."""


class ConfigurationError(LkpsError):
    """The environment or the installation is wrong; the message says what to change."""


class CredentialError(LkpsError):
    """The identity provider refused to issue an access token."""


class Unavailable(LkpsError):  # noqa: N818
    """LKPS or the identity provider did not answer, or asked to come back later."""

    def __init__(self, detail: str, *, retry_after: float = 0.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Refused(LkpsError):  # noqa: N818
    """LKPS's answer is no; `code` is stable, `request_id` finds it in LKPS's records.

    `errors` names the members of the body that were not accepted: `pointer` (RFC 6901), `detail`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        request_id: str,
        errors: Iterable[Mapping[str, str]] = (),
    ) -> None:
        advice = _ADVICE.get(code) or _ADVICE.get(status, "")
        super().__init__(f"LKPS refused: {detail} ({status} {code}, request {request_id}){advice}")
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.errors = tuple(errors)


class RegistrationNotFound(Refused):
    """The registration is over: its lease expired, or it was ended."""


_ADVICE: Mapping[str | int, str] = {
    "permission_lacking": ". Ask an Entra administrator for it",
    "agent_not_runnable": ". Ask an administrator of LKPS to be a runner of this agent",
    401: ". Check AZURE_TENANT_ID, AZURE_CLIENT_ID and LKPS_API_CLIENT_ID",
    404: ". Check LKPS_URL",
}
