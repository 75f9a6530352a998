"""The id under which a caller, the log and the trail find one request."""

import re
import uuid

_USABLE = re.compile(r"[0-9A-Za-z._:-]{8,64}")


def inbound(header: str | None) -> str | None:
    """What the caller or the gateway sent as `X-Request-ID`, when it can be used at all."""
    return header if header is not None and _USABLE.fullmatch(header) else None


def own() -> str:
    return str(uuid.uuid4())
