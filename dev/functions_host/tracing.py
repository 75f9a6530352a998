"""The W3C trace context of an invocation: the caller's trace or a new one, and its own span."""

import re
from random import getrandbits

_TRACE_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")


def trace_parent(incoming: str = "") -> str:
    """The host starts a span for each request; an invalid header counts as none."""
    caller = _TRACE_PARENT.fullmatch(incoming)
    trace, flags = (caller[1], caller[2]) if caller else (f"{getrandbits(128):032x}", "00")
    return f"00-{trace}-{getrandbits(64):016x}-{flags}"
