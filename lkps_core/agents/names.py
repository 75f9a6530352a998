"""What an agent may be called, and the ids that carry its name."""

import base64
import re

LONGEST = 63
_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
_ID = re.compile(r"(?P<agent_name>[a-z0-9](?:-?[a-z0-9])*)--(?P<token>[a-z2-7]{26})")
_RANDOM_BYTES = 16


def is_agent_name(text: str) -> bool:
    """Whether the text is lower-case letters, digits and single inner hyphens, at most 63."""
    return len(text) <= LONGEST and _NAME.fullmatch(text) is not None


def id_of(agent_name: str, randomness: bytes) -> str:
    """`{agent}--{26 base32 characters}` from 128 bits; `--`, which is in no name, splits it."""
    if len(randomness) != _RANDOM_BYTES:
        raise ValueError("an id takes exactly 16 bytes")
    return f"{agent_name}--{base64.b32encode(randomness).decode().rstrip('=').lower()}"


def agent_name_in(object_id: str) -> str | None:
    """The agent name that a registration's or session's id carries; None for what is no id."""
    match = _ID.fullmatch(object_id)
    if match is None or len(match["agent_name"]) > LONGEST:
        return None
    return match["agent_name"]
