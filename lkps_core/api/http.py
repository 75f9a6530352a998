"""A request as it came and a response as it goes, whatever carries them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` has lower-case names; repeats are joined with a comma, as the host does."""

    method: str
    headers: Mapping[str, str] = field(repr=False)
    path: Mapping[str, str]
    body: bytes = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = field(default=b"", repr=False)
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
