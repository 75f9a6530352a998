"""What a session, its room and its participant are called."""

import base64
import hashlib
import hmac

from lkps_core.agents.names import id_of
from lkps_core.identity.principal import Principal, PrincipalId

_BITS_128 = 16


def derived_session_id(secret: bytes, caller: Principal, agent_name: str, key: str) -> str:
    """The same for every start with one Idempotency-Key, on whichever instance; unguessable."""
    parts = (caller.tid, caller.azp, caller.oid, agent_name, key)
    message = "lkps session v1|" + "|".join(parts)
    return id_of(
        agent_name, hmac.new(secret, message.encode(), hashlib.sha256).digest()[:_BITS_128]
    )


def room_name(installation: str, session_id: str) -> str:
    """Installation and agent names never have two hyphens in a row: `--` takes it apart again."""
    return f"{installation}--{session_id}"


def session_id_in(installation: str, room: str) -> str | None:
    """The id of the session whose room this is; None for another installation's."""
    prefix = f"{installation}--"
    return room.removeprefix(prefix) if room.startswith(prefix) else None


def user_identity(user: PrincipalId) -> str:
    """One participant identity for a user, wherever they call from; nobody else can ask for it."""
    digest = hashlib.sha256(f"{user.tid}|{user.oid}".encode()).digest()
    return f"lkps-user-{_base32(digest)}"


def application_identity(session_id: str) -> str:
    """For an application that names nobody: it speaks for itself, in this session alone."""
    digest = hashlib.sha256(f"lkps participant|{session_id}".encode()).digest()
    return f"lkps-app-{_base32(digest)}"


def invited_application_identity(session_id: str, application: Principal) -> str:
    """As `application_identity`, for one that the starter invited."""
    parts = (session_id, application.tid, application.azp, application.oid)
    digest = hashlib.sha256(("lkps guest|" + "|".join(parts)).encode()).digest()
    return f"lkps-app-{_base32(digest)}"


def _base32(digest: bytes) -> str:
    return base64.b32encode(digest[:_BITS_128]).decode().rstrip("=").lower()
