"""The TrailRows port: in memory and on real Table Storage, the same."""

import asyncio
import json
import time
import uuid

import pytest

from dev.platform import Platform
from lkps_core.adapters.memory_trail import MemoryTrailRows
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


@pytest.fixture
def day() -> str:
    """A day that no other test uses: the year is at random, far off the others' days."""
    return f"{uuid.uuid4().int % 7000 + 2900}-03-14"


async def test_what_was_appended_is_read_under_its_numbers(rows: TrailRows, stream: str) -> None:
    await rows.append(stream, 0, batch(0, 3))
    await rows.append(f"{stream}x", 0, batch(0, 9))
    assert [*await rows.page(stream)] == [(number, canonical(number)) for number in range(3)]


async def test_a_stream_without_rows_has_an_empty_page(rows: TrailRows, stream: str) -> None:
    assert [*await rows.page(stream)] == []


@pytest.mark.parametrize(
    ("first", "most", "numbers"),
    [
        (0, 4, range(4)),
        (4, 4, range(4, 8)),
        (98, 1000, range(98, 100)),
        (99, 1, range(99, 100)),
        (100, 1000, range(0)),
    ],
)
async def test_a_page_begins_and_ends_where_it_was_asked_to(
    rows: TrailRows, stream: str, first: int, most: int, numbers: range
) -> None:
    await rows.append(stream, 0, batch(0, 100))
    assert [number for number, _ in await rows.page(stream, first, most)] == [*numbers]


async def test_a_page_can_be_larger_than_the_services(rows: TrailRows, stream: str) -> None:
    for first in range(0, 1100, 100):
        await rows.append(stream, first, batch(first, 100))
    assert len(await rows.page(stream)) == 1000
    assert [number for number, _ in await rows.page(stream, 5, 1090)] == [*range(5, 1095)]
    assert len(await rows.page(stream, 0, 5000)) == 1100


async def test_a_days_streams_are_those_that_were_announced(rows: TrailRows, day: str) -> None:
    assert [*await rows.streams(day)] == []
    for stream in (f"{day}_b", f"{day}_a", f"{day}_b"):
        await rows.announce(stream)
    await rows.append(f"{day}_c", 0, batch(0, 1))
    assert [*await rows.streams(day)] == [f"{day}_a", f"{day}_b"]


async def test_days_follow_one_another(rows: TrailRows, day: str) -> None:
    for one in ("03-14", "03-16", "04-01"):
        await rows.announce(f"{day[:4]}-{one}_stream")
    found = [await rows.next_day(f"{day[:4]}-{after}") for after in ("01-01", "03-14", "03-15")]
    assert found == [f"{day[:4]}-{one}" for one in ("03-14", "03-16", "03-16")]


async def test_there_is_a_first_day_and_none_after_the_last(rows: TrailRows) -> None:
    await rows.announce("0001-01-01_first")
    await rows.announce("9999-12-31_last")
    assert await rows.next_day() == "0001-01-01"
    assert await rows.next_day("9999-12-31") is None


@pytest.mark.parametrize("many", [0, 1, 2, 100, 230])
async def test_a_stream_that_was_removed_is_gone_and_can_be_removed_again(
    rows: TrailRows, day: str, many: int
) -> None:
    stream, other = f"{day}_one", f"{day}_other"
    for one in (stream, other):
        await rows.announce(one)
        for first in range(0, many, 100):
            await rows.append(one, first, batch(first, min(100, many - first)))
    for _ in range(2):
        await rows.remove(stream)
    assert [*await rows.page(stream)] == []
    assert len(await rows.page(other)) == many
    assert [*await rows.streams(day)] == [other]


async def test_two_that_remove_one_stream_at_once_both_succeed(rows: TrailRows, day: str) -> None:
    await rows.announce(f"{day}_one")
    for first in range(0, 300, 100):
        await rows.append(f"{day}_one", first, batch(first, 100))
    await asyncio.gather(rows.remove(f"{day}_one"), rows.remove(f"{day}_one"))
    assert [*await rows.page(f"{day}_one")] == []
    assert [*await rows.streams(day)] == []


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

    async def test_a_stream_whose_removal_broke_off_is_still_announced(
        self, rows: TableTrailRows, day: str, forwarder: Forwarder
    ) -> None:
        stream = f"{day}_one"
        await rows.announce(stream)
        await rows.append(stream, 0, batch(0, 100))
        await rows.append(stream, 100, batch(100, 50))
        forwarder.answers_to_lose = 10
        with pytest.raises(StorageUnavailable):
            await rows.remove(stream)
        forwarder.answers_to_lose = 0
        assert [*await rows.streams(day)] == [stream]
        await rows.remove(stream)
        assert [*await rows.streams(day)] == []

    async def test_rows_go_a_hundred_at_a_time_before_what_announced_them(
        self, rows: TableTrailRows, day: str, forwarder: Forwarder
    ) -> None:
        stream = f"{day}_one"
        await rows.announce(stream)
        await rows.append(stream, 0, batch(0, 100))
        await rows.append(stream, 100, batch(100, 50))
        forwarder.requests.clear()
        await rows.remove(stream)
        assert [request.partition("(")[0] for request in forwarder.requests] == [
            "GET /devstoreaccount1/audit",
            "POST /devstoreaccount1/$batch",
            "POST /devstoreaccount1/$batch",
            "GET /devstoreaccount1/audit",
            "DELETE /devstoreaccount1/auditstreams",
        ]

    async def test_an_announcement_whose_answer_was_lost_has_happened_once(
        self, rows: TableTrailRows, day: str, forwarder: Forwarder
    ) -> None:
        await rows.announce(f"{day}_one")
        forwarder.answers_to_lose = 1
        await rows.announce(f"{day}_other")
        assert [*await rows.streams(day)] == [f"{day}_one", f"{day}_other"]
