"""Which browser pages may read the answers (Fetch standard, "CORS protocol")."""

from collections.abc import Collection

_REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-ID"
_EXPOSED_HEADERS = "X-Request-ID, Retry-After, ETag"
_PREFLIGHT_SECONDS = "600"


def headers(origin: str | None, allowed: Collection[str]) -> dict[str, str]:
    """For every answer, errors included. `Vary` keeps caches from mixing origins up."""
    if origin is None or origin not in allowed:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": _EXPOSED_HEADERS,
    }


def preflight(allow: str) -> dict[str, str]:
    """Beyond `headers`, what an OPTIONS request asks for; `allow` lists the path's methods."""
    return {
        "Allow": allow,
        "Access-Control-Allow-Methods": allow,
        "Access-Control-Allow-Headers": _REQUEST_HEADERS,
        "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
    }
