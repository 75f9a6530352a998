"""What a caller can be refused for: one class each, with its status, stable code and title."""

from typing import ClassVar


class Refusal(Exception):  # noqa: N818  the domain's word: it is an answer, not a defect
    """An answer other than success.

    `detail` is shown to the caller and says what they can do about it. `reason` is for the audit
    trail and the logs alone; neither ever holds a token, a key or a claim set.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    retry_after: ClassVar[int | None] = None

    def __init__(self, detail: str | None = None, *, reason: str | None = None) -> None:
        super().__init__(self.code)
        self.detail = detail if detail is not None else self.title
        self.reason = reason if reason is not None else self.code

    def headers(self) -> dict[str, str]:
        """The answer's own headers, beyond those that every answer carries."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


# Who is calling? (RFC 6750 section 3)


class CredentialsMissing(Refusal):
    status, code, title = 401, "credentials_missing", "An access token is required"

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="lkps"'}


class CredentialsAmbiguous(Refusal):
    status, code, title = 400, "credentials_ambiguous", "Send exactly one access token"


class TokenInvalid(Refusal):
    """`expired` decides which of the two fixed descriptions the caller reads."""

    status, code, title = 401, "token_invalid", "The access token was not accepted"

    def __init__(self, reason: str, *, expired: bool = False) -> None:
        self.description = "The token has expired" if expired else "The token is not valid here"
        super().__init__(self.description + ".", reason=reason)

    def headers(self) -> dict[str, str]:
        return {
            "WWW-Authenticate": 'Bearer realm="lkps", error="invalid_token", '
            f'error_description="{self.description}"'
        }


class PermissionLacking(Refusal):
    """The caller is known, but no app role (applications) or scope (users) allows this."""

    status, code, title = 403, "permission_lacking", "The access token lacks the role or scope"

    def __init__(self, wanted: str, *, reason: str | None = None) -> None:
        self.wanted = wanted
        super().__init__(f"This needs one of: {wanted}.", reason=reason)

    def headers(self) -> dict[str, str]:
        return {
            "WWW-Authenticate": 'Bearer realm="lkps", error="insufficient_scope", '
            f'scope="{self.wanted}"'
        }


class EventNotSigned(Refusal):
    status, code, title = 401, "event_not_signed", "LiveKit's key did not sign this event"


class KeysUnavailable(Refusal):
    status, code, title = 503, "keys_unavailable", "The tenant's signing keys cannot be reached"
    retry_after = 5


# Is the request well formed?


class MethodNotAllowed(Refusal):
    status, code, title = 405, "method_not_allowed", "This address does not answer that method"

    def __init__(self, allow: str) -> None:
        self.allow = allow
        super().__init__(f"Allowed here: {allow}.")

    def headers(self) -> dict[str, str]:
        return {"Allow": self.allow}


class BodyTooLarge(Refusal):
    status, code, title = 413, "body_too_large", "The body is too large"


class MediaTypeUnsupported(Refusal):
    status, code, title = 415, "media_type_unsupported", "Send application/json"


class BodyMalformed(Refusal):
    status, code, title = 400, "body_malformed", "The body is not a JSON object"


class BodyInvalid(Refusal):
    """`errors` names each member by its JSON Pointer (RFC 6901) and never repeats its value."""

    status, code, title = 422, "body_invalid", "The body has members that cannot be accepted"

    def __init__(self, errors: list[dict[str, str]]) -> None:
        self.errors = errors
        super().__init__("See `errors` for each member.")


class HeaderInvalid(Refusal):
    status, code, title = 400, "header_invalid", "A request header cannot be accepted"


class QueryInvalid(Refusal):
    status, code, title = 400, "query_invalid", "A query parameter cannot be accepted"


# May the caller do this?


class AgentNotCallable(Refusal):
    """An agent that does not exist and one that this caller may not call answer alike."""

    status, code, title = 403, "agent_not_callable", "This caller may not call that agent"


class GroupsOverage(Refusal):
    """Told of every agent alike, so it does not tell whether there is one."""

    status, code, title = 403, "groups_overage", "The access token has too many groups to name them"

    def __init__(self, *, reason: str | None = None) -> None:
        super().__init__(
            "Access that is granted by group cannot be seen. Have LKPS's API in Entra ID emit only"
            " the groups that are assigned to the application, or grant the agent to the user.",
            reason=reason,
        )


class CallerBlocked(Refusal):
    status, code, title = 403, "caller_blocked", "This application or user is blocked"

    def __init__(self, *, reason: str | None = None) -> None:
        super().__init__("A platform administrator can lift the block.", reason=reason)


class AgentBlocked(Refusal):
    """For those who may run the agent; to callers it is `agent_not_callable`."""

    status, code, title = 403, "agent_blocked", "The agent is blocked"

    def __init__(self) -> None:
        super().__init__("A platform administrator can lift the block.")


class AgentNotRunnable(Refusal):
    """An agent name that is not assigned and one that is another's answer alike."""

    status, code, title = 403, "agent_not_runnable", "This caller may not run that agent"


class AgentNotFound(Refusal):
    status, code, title = 404, "agent_not_found", "No such agent among those you may see"


class RunnerMayNotManage(Refusal):
    """An owner that also runs the agent: what runs must not change who may call it."""

    status, code, title = 403, "runner_may_not_manage", "An agent's own runner may not manage it"


class LastOwner(Refusal):
    status, code, title = 409, "last_owner", "An agent keeps at least one owner"


class WouldLockYouOut(Refusal):
    status, code, title = 409, "would_lock_you_out", "That would take you out of the owners"

    def __init__(self) -> None:
        super().__init__('If you mean it, send `"leaving": true` with it.')


class RotationUnderWay(Refusal):
    status, code, title = 409, "rotation_under_way", "Instances are still moving to the last secret"
    retry_after = 60


class GrantNotFound(Refusal):
    status, code, title = 404, "grant_not_found", "No such grant of that agent"


class GrantExists(Refusal):
    status, code, title = 409, "grant_exists", "That application has a grant for those already"

    def __init__(self, grant_id: str) -> None:
        super().__init__(f"Change it instead: {grant_id}.")


class TooManyGrants(Refusal):
    status, code, title = 409, "too_many_grants", "That application has too many grants there"


class RevocationNotFound(Refusal):
    status, code, title = 404, "revocation_not_found", "No such block"


class WouldBlockYourself(Refusal):
    status, code, title = 409, "would_block_yourself", "That would block you yourself"


class HoldNotFound(Refusal):
    status, code, title = 404, "hold_not_found", "No such legal hold"


class TooManyHolds(Refusal):
    status, code, title = 409, "too_many_holds", "There are too many legal holds"


class RegistrationNotFound(Refusal):
    status, code, title = 404, "registration_not_found", "No such registration of yours"


class SessionNotFound(Refusal):
    status, code, title = 404, "session_not_found", "No such session of yours"


class SessionEnded(Refusal):
    status, code, title = 409, "session_ended", "That session has ended"


class InvitationInvalid(Refusal):
    """One that never was, was used or has expired, and one to another session answer alike."""

    status, code, title = 403, "invitation_invalid", "That invitation lets nobody in"

    def __init__(self, *, reason: str | None = None) -> None:
        super().__init__("Ask whoever started the session for another.", reason=reason)


class TooManyInvitations(Refusal):
    status, code, title = 409, "too_many_invitations", "As many invitations as can be are unused"


class TooManyGuests(Refusal):
    status, code, title = 409, "too_many_guests", "As many as can be were let into that session"


class AgentOffline(Refusal):
    status, code, title = 409, "agent_offline", "No instance of the agent is online"
    retry_after = 10


class KeyReused(Refusal):
    status, code, title = 422, "idempotency_key_reused", "That Idempotency-Key had another body"


class PreconditionRequired(Refusal):
    status, code, title = 428, "precondition_required", "Say which version you change"

    def __init__(self) -> None:
        super().__init__("Send If-Match with the ETag that you read.")


class PreconditionFailed(Refusal):
    status, code, title = 412, "precondition_failed", "It is no longer the version that you read"

    def __init__(self) -> None:
        super().__init__("Read it again, and change that.")


class EditedMeanwhile(Refusal):
    status, code, title = 409, "edited_meanwhile", "Someone else changed it in the same moment"
    retry_after = 1


class SweepUnderWay(Refusal):
    status, code, title = 409, "sweep_under_way", "A run of the sweep is under way"
    retry_after = 30


# Is it too much?


class RateLimited(Refusal):
    """`seconds` is when the next one is admitted."""

    status, code, title = 429, "rate_limited", "Too many requests by this caller"
    retry_after = 1

    def __init__(self, seconds: int = 1, *, reason: str | None = None) -> None:
        self.seconds = seconds
        super().__init__(f"Try again in {seconds} s.", reason=reason)

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.seconds)}


class TooManySessions(Refusal):
    status, code, title = 429, "too_many_sessions", "As many sessions as allowed are open"
    retry_after = 10


# Can LKPS do it just now?


class LiveKitUnavailable(Refusal):
    status, code, title = 503, "livekit_unavailable", "LiveKit cannot be reached"
    retry_after = 5


class StorageUnavailable(Refusal):
    status, code, title = 503, "storage_unavailable", "The service's tables cannot be reached"
    retry_after = 5


class AuditUnavailable(Refusal):
    status, code, title = 503, "audit_unavailable", "The audit trail cannot record just now"
    retry_after = 5


class SigningUnavailable(Refusal):
    status, code, title = 503, "signing_unavailable", "The checkpoints' key cannot be reached"
    retry_after = 5


class Misconfigured(Refusal):
    status, code, title = 503, "misconfigured", "The service's settings are incomplete"
    retry_after = 60


class Defect(Refusal):
    """What no other class names: a fault of LKPS itself, told without its particulars."""

    status, code, title = 500, "defect", "The service failed to answer"
