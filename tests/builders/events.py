"""LiveKit's events as it signs and sends them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt

from tests.builders.lkps import ENVIRONMENT, Answered, Lkps

KEY, SECRET = ENVIRONMENT["LKPS_LIVEKIT_API_KEY"], ENVIRONMENT["LKPS_LIVEKIT_API_SECRET"]


def signature(
    body: bytes, now: datetime, *, key: str = KEY, secret: str = SECRET, **claims: object
) -> str:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    issued = {"iss": key, "exp": now + timedelta(minutes=5), "sha256": digest}
    return jwt.encode(issued | claims, secret, "HS256")


def event(
    name: str,
    room_name: str,
    at: datetime,
    *,
    identity: str = "somebody",
    reason: str = "CLIENT_INITIATED",
) -> dict[str, Any]:
    """As protobuf's JSON has it; whoever is called `agent-…` is an agent."""
    written: dict[str, Any] = {
        "event": name,
        "room": {"sid": "RM_1", "name": room_name},
        "id": "EV_1",
        "createdAt": str(int(at.timestamp())),
    }
    if name.startswith("participant"):
        written["participant"] = {
            "identity": identity,
            "kind": "AGENT" if identity.startswith("agent-") else "STANDARD",
            "joinedAt": str(int(at.timestamp())),
            "joinedAtMs": str(int(1000 * at.timestamp())),
            **({} if name == "participant_joined" else {"disconnectReason": reason}),
        }
    return written


async def tell(lkps: Lkps, told: Mapping[str, Any]) -> Answered:
    body = json.dumps(told).encode()
    headers = {
        "authorization": signature(body, lkps.clock.now),
        "content-type": "application/webhook+json",
    }
    return await lkps.send("POST", "livekit/webhook", raw=body, headers=headers)
