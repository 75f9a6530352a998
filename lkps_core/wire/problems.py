"""Refusals as problem documents (RFC 9457)."""

import json

from lkps_core.errors import BodyInvalid, Refusal

MEDIA_TYPE = "application/problem+json"


def problem(refusal: Refusal, request_id: str) -> bytes:
    """`code` is stable and `type` its URN; nothing in it repeats what was sent."""
    document: dict[str, object] = {
        "type": f"urn:lkps:problem:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
        "request_id": request_id,
    }
    if isinstance(refusal, BodyInvalid):
        document["errors"] = refusal.errors
    return json.dumps(document).encode()
