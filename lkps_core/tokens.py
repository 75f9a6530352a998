"""The two tokens LKPS answers with: what they grant to LiveKit is decided here and nowhere else.

A LiveKit access token is a JWT signed with HS256 under the API secret (LiveKit's documentation,
"Access tokens"). Every grant that is not written here is absent, which LiveKit reads as refused,
apart from the three `can…` permissions, whose absence it reads as allowed: they are always set.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A signed token; only its SHA-256 may be written down."""

    text: str = field(repr=False)
    expires_at: datetime

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TokenMint:
    """Signs with LiveKit's API key and secret, the only place outside the server's client."""

    api_key: str
    api_secret: str = field(repr=False)

    def agent_token(self, registration_id: str, now: datetime, seconds: int) -> IssuedToken:
        """A token that connects a worker and does nothing else."""
        grants = {
            "agent": True,
            "canPublish": False,
            "canPublishData": False,
            "canSubscribe": False,
        }
        return self._sign({"sub": registration_id, "video": grants}, now, seconds)

    def participant_token(
        self,
        room_name: str,
        identity: str,
        now: datetime,
        seconds: int,
        *,
        name: str,
        metadata: str,
        attributes: Mapping[str, str],
    ) -> IssuedToken:
        """A token that joins one named room as one named participant."""
        if not room_name or not identity:  # with neither, LiveKit lets the holder choose
            raise ValueError("a participant token names its room and its participant")
        grants = {
            "roomJoin": True,
            "room": room_name,
            "canPublish": True,
            "canPublishData": True,
            "canSubscribe": True,
            "canUpdateOwnMetadata": False,
        }
        claims = {"sub": identity, "name": name, "metadata": metadata, "video": grants}
        return self._sign({**claims, "attributes": dict(attributes)}, now, seconds)

    def _sign(self, claims: dict[str, object], now: datetime, seconds: int) -> IssuedToken:
        issued_at = int(now.timestamp())
        expires_at = now.replace(microsecond=0) + timedelta(seconds=seconds)
        times = {"nbf": issued_at, "iat": issued_at, "exp": issued_at + seconds}
        text = jwt.encode({"iss": self.api_key, **times, **claims}, self.api_secret, "HS256")
        return IssuedToken(text, expires_at)
