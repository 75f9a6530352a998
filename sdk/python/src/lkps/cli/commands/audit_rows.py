"""Reading rows of the trail, page by page."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lkps.cli.answers import Json, Members

if TYPE_CHECKING:  # it imports requests
    from lkps.cli.api import Api

PAGE = 100
_MOST_OF_A_PAGE = 1000


def read_rows(api: "Api", query: Mapping[str, str], most: int | None) -> Json:
    """As one answer, with `next` where there are more; `most` is None for all rows."""
    rows: list[Json] = []
    after: dict[str, str] = {}
    while True:
        wanted = _MOST_OF_A_PAGE if most is None else min(_MOST_OF_A_PAGE, most - len(rows))
        page = api.get("audit", **query, limit=str(wanted), **after).body
        rows += page["rows"]
        if not page.get("next") or (most is not None and len(rows) >= most):
            return Members({**page, "rows": rows})
        after = {"after": str(page["next"])}
