"""Roles: whether an access token, unverified as it is here, could get anybody anywhere."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

_PAUSE_SECONDS = 60.0


@dataclass
class Replacing:
    """Whether to replace a token that lacks roles: once a minute at most, perhaps it has none."""

    _again_at: float = 0.0

    def is_due(self, token: str) -> bool:
        now = time.monotonic()
        if not lacks_roles(token) or now < self._again_at:
            return False
        self._again_at = now + _PAUSE_SECONDS
        return True


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
