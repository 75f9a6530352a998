"""Advice: what whoever reads an error can do next."""

from lkps.cli.answers import AlreadyThere, Foreign
from lkps.cli.settings import NotConfigured, is_by_environment
from lkps.errors import CredentialError, LkpsError, Refused, Unavailable

_AGAIN = "Read it again, and repeat the command if it still applies."
_LOGIN = (
    "lkps login --url https://… --tenant … --client-id … --api-client-id …"
    " (or set AZURE_CLIENT_ID and AZURE_CLIENT_SECRET for a program)"
)

_BY_CODE = {
    "permission_lacking": "Have an administrator of Entra ID assign it; a new sign-in brings it.",
    "agent_not_found": "lkps agents list shows the agents that you may see.",
    "grant_not_found": "lkps grants list AGENT shows the ids.",
    "grant_exists": "lkps grants change AGENT GRANT_ID",
    "revocation_not_found": "lkps blocks shows the ids.",
    "session_not_found": "lkps sessions list --agent AGENT shows the ids.",
    "hold_not_found": "lkps audit holds list shows the ids.",
    "would_lock_you_out": "If you mean it, repeat the command with --leaving.",
    "runner_may_not_manage": "Have another owner, or an administrator of LKPS, change it.",
    "last_owner": "Add another owner first: lkps agents owners AGENT --add OID",
    "edited_meanwhile": _AGAIN,
    "precondition_failed": _AGAIN,
    "precondition_required": _AGAIN,
    "unknown": "Look at LKPS_URL: it needs the gateway's prefix, where there is one.",
}


def advice(error: LkpsError) -> list[str]:
    """Empty where the error says it all."""
    match error:
        case NotConfigured():
            return [_LOGIN]
        case Refused(advice=known) if known:
            return [known]
        case Refused(status=401) | CredentialError():
            return [_sign_in()]
        case Foreign():
            return ["Look at LKPS_URL, and whether lkps --version is that of the service."]
        case AlreadyThere():
            return ["lkps agents show AGENT says whose it is."]
        case Refused():
            return [_BY_CODE[error.code]] if error.code in _BY_CODE else []
        case Unavailable(retry_after=wait) if wait:
            return [f"Try again in {wait:.0f} s."]
        case _:
            return []


def _sign_in() -> str:
    if is_by_environment():
        return "Look at AZURE_TENANT_ID, AZURE_CLIENT_ID, its secret, and LKPS_API_CLIENT_ID."
    return "lkps login"
