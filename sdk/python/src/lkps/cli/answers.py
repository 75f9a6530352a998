"""Answers: what LKPS, or a gateway in its place, answers to a request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lkps.clocks import clock_error
from lkps.errors import LkpsError, Refused, Unavailable
from lkps.problems import members_of, what_it_says

_LATER = frozenset({408, 429})
FOREIGN = "the answer is not one that LKPS gives"

Json = dict[str, Any]


class Foreign(LkpsError):  # noqa: N818
    """An answer without a member that this version of the command needs."""


class AlreadyThere(Refused):
    """What was to be created is there, perhaps with other members."""


class Members(dict[str, Any]):
    """A JSON object of an answer; a member that is not there is LKPS's fault, not the caller's."""

    def __missing__(self, name: str) -> object:
        raise Foreign(f"{FOREIGN}: it has no member `{name}`")


@dataclass(frozen=True)
class Answer:
    """A success. `etag` is empty where LKPS gives none."""

    status: int
    body: Json = field(repr=False)
    etag: str


def read_answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """Raises `Refused`, or `Unavailable` for what may pass by itself."""
    body = _object(content)
    request_id = headers.get("X-Request-ID", "unknown")
    if status in _LATER or status >= 500:
        raise _unavailable(status, headers, body, request_id)
    if not 200 <= status < 300:
        raise Refused(
            status,
            str(body.get("code", "unknown")),
            what_it_says(body) or FOREIGN,
            request_id,
            members_of(body),
            advice=clock_error(headers.get("Date", ""), datetime.now(UTC)) if status == 401 else "",
        )
    if not body and status != 204:
        raise Refused(status, "unknown", FOREIGN, request_id)
    return Answer(status, body, headers.get("ETag", ""))


def _unavailable(
    status: int, headers: Mapping[str, str], body: Json, request_id: str
) -> Unavailable:
    wait = headers.get("Retry-After", "")
    what, code = what_it_says(body) or FOREIGN, body.get("code", "unknown")
    return Unavailable(
        f"{what} ({status} {code}, request {request_id})",
        retry_after=float(wait) if wait.isdecimal() else 0.0,
    )


def _object(content: bytes) -> Json:
    """Empty for a body that is none: a gateway's own page, or nothing at all."""
    try:
        body = json.loads(content, object_hook=Members)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
