"""Roles: whether an access token, unverified as it is here, could get anybody anywhere."""

import base64
import json
from typing import Any


def lacks_roles(token: str) -> bool:
    """Of an application's token: a user's has scopes. One that cannot be read is left to LKPS."""
    claims = unverified_claims(token)
    return claims is not None and not claims.get("scp") and not claims.get("roles")


def unverified_claims(token: str) -> dict[str, Any] | None:
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None
