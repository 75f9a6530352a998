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
    `retry_after` is in seconds, 0 when LKPS does not say.
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
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.errors = tuple(errors)
        self.retry_after = retry_after
        super().__init__(
            f"LKPS refused: {detail}{self._members()} ({status} {code}, request {request_id})"
            f"{_ADVICE.get(code) or _ADVICE.get(status, '')}"
        )

    def _members(self) -> str:
        return "".join(
            f"; {one.get('pointer', '')} {one.get('detail') or one.get('code', '')}"
            for one in self.errors
        )


class RegistrationNotFound(Refused):
    """The registration is over: its lease expired, or it was ended."""


_ADVICE: Mapping[str | int, str] = {
    "agent_not_runnable": ". Ask an administrator of LKPS to be a runner of this agent",
    "body_invalid": ". Change what it names",
    "permission_lacking": ". Ask an Entra administrator for it",
    401: ". Check AZURE_TENANT_ID, AZURE_CLIENT_ID and LKPS_API_CLIENT_ID",
    404: ". Check LKPS_URL",
}
