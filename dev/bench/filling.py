"""An Azurite that starts with contents, and a look whether the product finds them there."""

from pathlib import Path
from urllib.parse import quote

from dev.bench.contents import Contents
from lkps_core.adapters.tables import TableIndex, TablesAccount, TableTrailRows
from lkps_core.auditing.index import entries_of

_FILL = Path(__file__).with_name("fill_tables.mjs")
_MEGABYTES = 12_000  # a million rows take 2.7 GiB


def node_options(contents: Contents) -> tuple[str, ...]:
    fill = f"{_FILL.as_uri()}?{quote(str(contents.path))}"
    return (f"--max-old-space-size={_MEGABYTES}", "--import", fill)


async def read_back(account: TablesAccount, contents: Contents) -> None:
    """AssertionError unless the samples are there with their streams and all their entries."""
    trail, index = TableTrailRows(account), TableIndex(account)
    for one in contents.samples:
        assert one.stream in await trail.streams(f"{one.at:%Y-%m-%d}")
        assert await trail.page(one.stream, one.number, 1) == [(one.number, one.row)]
        for entry in entries_of(one.row):
            after, before = entry.key[:-1], f"{entry.key}~"
            page = await index.page(entry.partition, after=after, before=before, most=2)
            assert page == [entry]
