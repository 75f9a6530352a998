"""The routing secret: LiveKit dispatches to a worker only when it knows its agent's `deployment`.

LiveKit matches a dispatch on agent name and deployment exactly, and lets any holder of an agent
token claim any name. The name is public; this value is not (livekit-server 1.12 and later).
"""

import base64
import hashlib
import hmac


def routing_secret(secret: bytes, agent_name: str, version: int) -> str:
    """52 lower-case base32 characters (LiveKit takes 64 bytes, no underscore, no white space)."""
    message = f"lkps routing v1|{agent_name}|{version}".encode()
    return _base32(hmac.new(secret, message, hashlib.sha256).digest())


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
