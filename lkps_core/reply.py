"""What a use-case answers with, beyond the body: its version, and whether it is new."""

from dataclasses import dataclass

from lkps_core.wire.bodies import Answer


@dataclass(frozen=True, slots=True)
class Reply:
    body: Answer
    etag: str | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class PageOf:
    """Which part of a list: at most `most` entries, after the one that `after` names."""

    most: int
    after: str = ""
