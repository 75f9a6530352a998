"""An Azurite that starts with contents is one whose rows were sent."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from dev.bench.contents import Contents, write_contents
from dev.bench.filling import node_options, read_back
from dev.bench.history import History
from dev.platform import Platform, running
from lkps_core.adapters.tables import TablesAccount, TableTrailRows
from lkps_core.errors import StorageUnavailable

ROWS = 3000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    path: Path = tmp_path_factory.mktemp("bench") / "with a space.ndjson"
    return await write_contents(path, History(ROWS, datetime.now(UTC)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(contents: Contents) -> AsyncIterator[Platform]:
    async with running("azurite", node_options=node_options(contents)) as platform:
        yield platform


@pytest.fixture
async def account(platform: Platform) -> AsyncIterator[TablesAccount]:
    account = TablesAccount.from_connection_string(platform.azurite.connection_string)
    yield account
    await account.close()


async def test_its_rows_are_found_with_their_entries(
    account: TablesAccount, contents: Contents
) -> None:
    assert len(contents.samples) >= 3
    await read_back(account, contents)


async def test_a_row_that_is_not_there_is_missed(
    account: TablesAccount, contents: Contents
) -> None:
    sample = contents.samples[0]
    missing = dataclasses.replace(sample, row=sample.row + b" ")
    with pytest.raises(AssertionError):
        await read_back(account, dataclasses.replace(contents, samples=[missing]))


async def test_a_row_that_was_there_from_the_start_keeps_its_number(
    account: TablesAccount, contents: Contents
) -> None:
    there, trail = contents.samples[0], TableTrailRows(account)
    await trail.append(there.stream, there.number, [there.row])
    with pytest.raises(StorageUnavailable):
        await trail.append(there.stream, there.number, [b"another"])


async def test_it_takes_new_rows(account: TablesAccount, contents: Contents) -> None:
    trail, stream = TableTrailRows(account), contents.samples[0].stream
    await trail.append(stream, ROWS, [b"one", b"two"])
    assert await trail.page(stream, ROWS) == [(ROWS, b"one"), (ROWS + 1, b"two")]
