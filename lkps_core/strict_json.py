"""JSON as a gate needs it: one object, one reading of it, and no surprise in its values."""

import json
import math
from typing import Never


class NotStrictJson(ValueError):  # noqa: N818  an answer about the input, not a defect
    """The bytes are not one strict JSON object. The message is constant: it repeats no input."""

    def __init__(self) -> None:
        super().__init__("not one strict JSON object")


def parse_object(raw: bytes, *, max_depth: int = 16) -> dict[str, object]:
    """Read one JSON object in UTF-8 without BOM, or raise NotStrictJson.

    Refuses what the standard library lets pass: a member named twice, NaN and Infinity, a number
    beyond a float, a lone surrogate, and arrays or objects nested deeper than `max_depth`.
    """
    try:
        value = _DECODER.decode(raw.decode())
    except (ValueError, RecursionError):
        value = None  # raised below and not here: a chained error would carry the input
    if not isinstance(value, dict) or not _is_sound(value, max_depth):
        raise NotStrictJson
    return value


def _is_sound(value: object, depth_left: int) -> bool:
    if isinstance(value, str):
        return value.isascii() or _is_text(value)
    if not isinstance(value, dict | list):
        return True
    if depth_left == 0:
        return False
    if isinstance(value, list):
        return all(_is_sound(item, depth_left - 1) for item in value)
    return all(
        _is_sound(name, 0) and _is_sound(member, depth_left - 1) for name, member in value.items()
    )


def _is_text(value: str) -> bool:
    """Whether every code point is a character; an escape can spell half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson
    return members


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise NotStrictJson
    return value


def _refuse_constant(_name: str) -> Never:
    raise NotStrictJson


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_finite, parse_constant=_refuse_constant
)
