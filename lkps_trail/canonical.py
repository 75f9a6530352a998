"""The one spelling of a row: RFC 8785 (JSON Canonicalization Scheme), without fractions."""

import json

LARGEST = 2**53 - 1
"""Of integers that every reader of JSON takes for the same number (RFC 7493, section 2.2)."""


def canonical(value: object) -> bytes:
    """UTF-8 JSON, members sorted, no white space.

    ValueError for what has no canonical form here: fractions, integers beyond 2^53 - 1, member
    names that are no text, text with half of a surrogate pair.
    """
    _check(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()  # UnicodeEncodeError is a ValueError


def _check(value: object) -> None:
    match value:
        case str() | bool() | None:
            return
        case int():
            if abs(value) > LARGEST:
                raise ValueError("an integer beyond 2^53 - 1 has no canonical form")
        case list() | tuple():
            for item in value:
                _check(item)
        case dict():
            for name, item in value.items():
                _check_name(name)
                _check(item)
        case _:
            raise ValueError(f"a {type(value).__name__} has no canonical form")


def _check_name(name: object) -> None:
    """Below U+D800 the order of code points is that of UTF-16 units, which RFC 8785 asks for."""
    if not isinstance(name, str) or max(name, default="") >= "\ud800":
        raise ValueError("a member's name must be text below U+D800")
