"""The Events port over LiveKit's webhooks.

LiveKit signs each with a JWT in `Authorization`, without "Bearer", whose `sha256` is that of the
body as it was sent (LiveKit's documentation, "Webhooks").
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from google.protobuf.json_format import Parse, ParseError
from livekit.protocol.models import DisconnectReason, ParticipantInfo
from livekit.protocol.webhook import WebhookEvent

from lkps_core.errors import EventNotSigned
from lkps_core.ports import RoomEvent, RoomNews

type ApiKey = tuple[str, str]
"""Key and secret."""

_LEEWAY = 60.0
"""Seconds, as LiveKit's own libraries allow."""

_CHECKED_HERE: Final[jwt.types.Options] = {
    "require": ["exp", "iss", "sha256"],
    "verify_exp": False,  # against the service's clock instead
    "verify_nbf": False,
    "verify_iat": False,
}

_NEWS: Final[dict[str, RoomNews]] = {
    "participant_joined": "joined",
    "participant_left": "left",
    "participant_connection_aborted": "vanished",
    "room_finished": "finished",
}

_CUT_OFF = frozenset(
    {
        DisconnectReason.CONNECTION_TIMEOUT,
        DisconnectReason.SIGNAL_CLOSE,
        DisconnectReason.STATE_MISMATCH,
        DisconnectReason.JOIN_FAILURE,
        DisconnectReason.SERVER_SHUTDOWN,
        DisconnectReason.MEDIA_FAILURE,
    }
)


class LiveKitEvents:
    """Signed with any of the keys: during a rotation, that is the current and the previous one."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = keys

    def read(self, body: bytes, authorization: str | None, now: datetime) -> RoomEvent | None:
        expected = b64encode(hashlib.sha256(body).digest()).decode()
        claims = self._claims(authorization or "")
        expires = claims["exp"]
        if not isinstance(expires, int) or expires + _LEEWAY < now.timestamp():
            raise EventNotSigned(reason="event_expired")
        if not hmac.compare_digest(str(claims["sha256"]).encode(), expected.encode()):
            raise EventNotSigned(reason="event_of_another_body")
        try:
            event = Parse(body, WebhookEvent(), ignore_unknown_fields=True)
        except (ParseError, UnicodeDecodeError) as error:
            raise EventNotSigned(reason="event_unreadable") from error
        return _room_event(event)

    def _claims(self, token: str) -> Mapping[str, Any]:
        """What a key's holder signed."""
        for key, secret in self._keys:
            with suppress(jwt.PyJWTError):
                return jwt.decode(
                    token, secret, algorithms=["HS256"], issuer=key, options=_CHECKED_HERE
                )
        raise EventNotSigned(reason="event_signature")


def _room_event(event: WebhookEvent) -> RoomEvent | None:
    news = _NEWS.get(event.event)
    if news is None:
        return None
    who = event.participant
    if news == "left" and who.disconnect_reason in _CUT_OFF:
        news = "vanished"
    seconds = who.joined_at_ms / 1000 if news == "joined" and who.joined_at_ms else event.created_at
    return RoomEvent(
        news=news,
        room_name=event.room.name,
        at=datetime.fromtimestamp(seconds, UTC),
        identity=who.identity,
        is_agent=who.kind == ParticipantInfo.Kind.AGENT,
    )
