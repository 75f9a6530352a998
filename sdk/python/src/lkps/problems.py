"""Problem documents (RFC 9457), as LKPS refuses with them."""

from collections.abc import Mapping
from typing import Any


def what_it_says(problem: Mapping[str, Any]) -> str:
    """Its title says what is refused, and its detail what to do; they may be one, or not there."""
    said = (str(problem.get(name, "")).rstrip(".") for name in ("title", "detail"))
    return ". ".join(dict.fromkeys(filter(None, said)))


def members_of(problem: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """Those of the body that were not accepted: `pointer` (RFC 6901), `detail`."""
    errors = problem.get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
