"""Conditional changes (RFC 9110, section 13): two people who edit do not overwrite each other."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lkps_core.errors import PreconditionFailed, PreconditionRequired


def etag_of(content: Mapping[str, Any]) -> str:
    """A strong ETag of what the content says, the same on every instance and every store."""
    text = json.dumps(content, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller said of the version that it changes.

    `tags` are the ETags of `If-Match`, `("*",)` for whichever there is, None when it was not sent;
    `is_new` says that `If-None-Match: *` was.
    """

    tags: tuple[str, ...] | None = None
    is_new: bool = False

    def check(self, current: str | None) -> None:
        """Raise PreconditionFailed unless `current` (None: nothing is there) is what is meant."""
        if self.is_new and current is not None:
            raise PreconditionFailed
        if self.tags is not None and (
            current is None or (self.tags != ("*",) and current not in self.tags)
        ):
            raise PreconditionFailed

    def require(self, current: str | None) -> None:
        """As `check`; a change of what is there must say of which version: PreconditionRequired."""
        self.check(current)
        if current is not None and self.tags is None:
            raise PreconditionRequired
