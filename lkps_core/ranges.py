"""Rows of a table from one key to another, page by page."""

from lkps_core.ports import Row, Rows, Stored

_PAGE = 1000


async def every[T: Row](
    rows: Rows[T],
    partition: str,
    *,
    after: str = "",
    before: str = "",
) -> list[Stored[T]]:
    """All rows of the range, however many."""
    found: list[Stored[T]] = []
    while True:
        page = await rows.page(partition, after=after, before=before, most=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found
        after = page[-1].row.key
