"""The TrailRows port: in memory and on real Table Storage, the same."""

import asyncio
import json
import time
import uuid

import pytest

from dev.platform import Platform
from lkps_core.adapters.memory import MemoryTrailRows
from lkps_core.adapters.tables import TablesAccount, TableTrailRows
from lkps_core.errors import StorageUnavailable
from lkps_core.ports import TrailRows
from tests.builders.forwarder import Forwarder


@pytest.fixture(params=["memory", "azurite"])
def rows(request: pytest.FixtureRequest, account: TablesAccount) -> TrailRows:
    return MemoryTrailRows() if request.param == "memory" else TableTrailRows(account)


@pytest.fixture
def stream() -> str:
    return f"2026-03-14_{uuid.uuid4().hex}"


def canonical(number: int, text: str = "é'\"\\ \U0001f600") -> bytes:
    return json.dumps({"number": number, "text": text}, ensure_ascii=False).encode()


def batch(first: int, many: int) -> list[bytes]:
    return [canonical(number) for number in range(first, first + many)]


@pytest.mark.parametrize("many", [1, 2, 32, 100])
async def test_rows_can_be_appended_and_appended_again(
    rows: TrailRows, stream: str, many: int
) -> None:
    for _ in range(3):
        await rows.append(stream, 7, batch(7, many))


@pytest.mark.parametrize("many", [1, 5])
@pytest.mark.parametrize("place", [0, -1])
async def test_a_number_is_never_given_to_other_bytes(
    rows: TrailRows, stream: str, many: int, place: int
) -> None:
    await rows.append(stream, 0, batch(0, many))
    others = batch(0, many)
    others[place] = canonical(0, "other")
    with pytest.raises(StorageUnavailable) as refused:
        await rows.append(stream, 0, others)
    assert refused.value.reason == "the number is taken by another row"
    await rows.append(stream, 0, batch(0, many))


async def test_the_next_rows_follow(rows: TrailRows, stream: str) -> None:
    await rows.append(stream, 0, batch(0, 3))
    await rows.append(stream, 3, batch(3, 1))
    await rows.append(stream, 4, batch(4, 2))
    await rows.append(stream, 0, batch(0, 6))


async def test_streams_have_numbers_of_their_own(rows: TrailRows, stream: str) -> None:
    await rows.append(stream, 0, [canonical(0, "one")])
    await rows.append(f"{stream}x", 0, [canonical(0, "other")])
    await rows.append(stream, 0, [canonical(0, "one")])


async def test_the_largest_row_that_the_service_writes_is_taken(
    rows: TrailRows, stream: str
) -> None:
    await rows.append(stream, 0, [canonical(0, "a" * 12_000)])
    await rows.append(stream, 1, [canonical(number, "a" * 12_000) for number in range(1, 33)])


async def test_in_memory_the_table_can_be_down(stream: str) -> None:
    rows = MemoryTrailRows()
    rows.down = True
    with pytest.raises(StorageUnavailable):
        await rows.append(stream, 0, batch(0, 1))


class TestOnAzurite:
    """What only the real adapter has: a wire that breaks, and bytes that others will read."""

    @pytest.fixture
    def rows(self, account: TablesAccount) -> TableTrailRows:
        return TableTrailRows(account)

    async def stored(self, account: TablesAccount, stream: str) -> list[tuple[str, bytes]]:
        found = account.table("audit").query_entities(f"PartitionKey eq '{stream}'")
        return [(entity["RowKey"], entity["row"].encode()) async for entity in found]

    @pytest.mark.parametrize("many", [1, 3])
    async def test_the_bytes_are_kept_as_they_are_under_sorting_numbers(
        self, account: TablesAccount, rows: TableTrailRows, stream: str, many: int
    ) -> None:
        await rows.append(stream, 9, batch(9, many))
        assert await self.stored(account, stream) == [
            (f"{number:012d}", canonical(number)) for number in range(9, 9 + many)
        ]

    @pytest.mark.parametrize("many", [1, 3])
    async def test_an_append_whose_answer_was_lost_has_happened_once(
        self,
        account: TablesAccount,
        rows: TableTrailRows,
        stream: str,
        forwarder: Forwarder,
        many: int,
    ) -> None:
        await rows.append(stream, 0, batch(0, 1))
        forwarder.answers_to_lose = 1
        await rows.append(stream, 1, batch(1, many))
        assert len(await self.stored(account, stream)) == 1 + many

    @pytest.mark.parametrize("many", [1, 3])
    async def test_a_batch_of_which_nobody_knows_is_unavailable_and_can_be_sent_again(
        self,
        account: TablesAccount,
        rows: TableTrailRows,
        stream: str,
        forwarder: Forwarder,
        many: int,
    ) -> None:
        await rows.append(stream, 0, batch(0, 1))
        forwarder.answers_to_lose = 2
        with pytest.raises(StorageUnavailable):
            await rows.append(stream, 1, batch(1, many))
        await rows.append(stream, 1, batch(1, many))
        assert len(await self.stored(account, stream)) == 1 + many

    async def test_a_row_that_vanished_from_its_batch_is_no_success(
        self, account: TablesAccount, rows: TableTrailRows, stream: str
    ) -> None:
        await rows.append(stream, 0, batch(0, 3))
        await account.table("audit").delete_entity(stream, f"{1:012d}")
        with pytest.raises(StorageUnavailable) as refused:
            await rows.append(stream, 0, batch(0, 3))
        assert refused.value.reason == "a row of the batch is missing"

    async def test_one_append_is_one_request(
        self, rows: TableTrailRows, stream: str, forwarder: Forwarder
    ) -> None:
        await rows.append(stream, 0, batch(0, 1))
        forwarder.requests.clear()
        await rows.append(stream, 1, batch(1, 1))
        await rows.append(stream, 2, batch(2, 32))
        assert forwarder.requests == [
            "POST /devstoreaccount1/audit",
            "POST /devstoreaccount1/$batch",
        ]

    async def test_two_writers_of_one_number_are_one_row_and_one_refusal(
        self, rows: TableTrailRows, stream: str
    ) -> None:
        outcomes = await asyncio.gather(
            *(rows.append(stream, 0, [canonical(0, text)]) for text in ("one", "other")),
            return_exceptions=True,
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "NoneType",
            "StorageUnavailable",
        ]

    async def test_a_server_that_hangs_is_unavailable_in_time(
        self, platform: Platform, rows: TableTrailRows, stream: str
    ) -> None:
        began = time.monotonic()
        platform.azurite.pause()
        try:
            with pytest.raises(StorageUnavailable):
                await rows.append(stream, 0, batch(0, 2))
        finally:
            platform.azurite.resume()
        assert time.monotonic() - began < 3
        await rows.append(stream, 0, batch(0, 2))
