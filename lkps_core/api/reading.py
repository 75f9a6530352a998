"""What an operation reads of a request beside its body: headers and query parameters."""

import re
from collections.abc import Iterable

from lkps_core.api.http import Request
from lkps_core.errors import HeaderInvalid, QueryInvalid
from lkps_core.preconditions import Expected
from lkps_core.reply import PageOf

MOST = 500
"""Entries of one page."""

_USUAL = 100
_KEY_LENGTH = 255
_TAGS = re.compile(r'"[!#-~]{1,100}"(?: *, *"[!#-~]{1,100}")*')
_AFTER = re.compile(r"[0-9a-z:-]{1,300}")


def idempotency_key(request: Request) -> str | None:
    """Visible ASCII, at most 255 characters (draft-ietf-httpapi-idempotency-key-header)."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    visible = key.isascii() and key.isprintable() and " " not in key
    if not visible or not 1 <= len(key) <= _KEY_LENGTH:
        raise HeaderInvalid("Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return key


def expected(request: Request) -> Expected:
    """`If-Match` and `If-None-Match` (RFC 9110, sections 13.1.1 and 13.1.2)."""
    match, none_match = (request.headers.get(name) for name in ("if-match", "if-none-match"))
    if none_match not in (None, "*"):
        raise HeaderInvalid("If-None-Match can only be *.")
    tags: tuple[str, ...] | None = None
    if match is not None and match.strip() != "*":
        if not _TAGS.fullmatch(match.strip()):
            raise HeaderInvalid('If-Match must be an ETag that was answered, "…", or *.')
        tags = tuple(tag.strip() for tag in match.split(","))
    elif match is not None:
        tags = ("*",)
    return Expected(tags, is_new=none_match == "*")


def refuse_others(request: Request, known: Iterable[str]) -> None:
    """A condition that is misspelt would be none."""
    if set(request.query) - set(known):
        raise QueryInvalid(f"Known here: {', '.join(known)}.")


def page_of(request: Request) -> PageOf:
    """`limit` and `after`, which is the `next` of the page before."""
    limit, after = request.query.get("limit", str(_USUAL)), request.query.get("after", "")
    if not re.fullmatch(r"[0-9]{1,4}", limit) or not 1 <= int(limit) <= MOST:
        raise QueryInvalid(f"`limit` must be a whole number from 1 to {MOST}.")
    if after and not _AFTER.fullmatch(after):
        raise QueryInvalid("`after` must be the `next` of the page before.")
    return PageOf(int(limit), after)
