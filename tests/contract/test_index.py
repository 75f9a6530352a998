"""The Index port: in memory and on real Table Storage, the same."""

import json
import uuid
from collections.abc import Iterable

import pytest

from lkps_core.adapters.memory_trail import MemoryIndex
from lkps_core.adapters.tables import TableIndex, TablesAccount, transactions
from lkps_core.adapters.tables.transactions import MOST_BYTES
from lkps_core.auditing.index import Entry, Index, entries_of
from lkps_core.errors import StorageUnavailable
from tests.builders.forwarder import Forwarder

ALL = {"after": "", "before": "~"}


@pytest.fixture(params=["memory", "azurite"])
def index(request: pytest.FixtureRequest, account: TablesAccount) -> Index:
    return MemoryIndex() if request.param == "memory" else TableIndex(account)


@pytest.fixture
def partition() -> str:
    return f"agent:{uuid.uuid4().hex}:sessions"


def key(number: int) -> str:
    return f"2026-11-25T10:00:00.123456Z_2026-11-25_ab12_{number:012d}"


def entry(partition: str, number: int, text: str = "é'\"\\ \U0001f600") -> Entry:
    row = json.dumps({"number": number, "text": text}, ensure_ascii=False)
    return Entry(partition, key(number), row)


def some(partition: str, numbers: Iterable[int]) -> list[Entry]:
    return [entry(partition, number) for number in numbers]


async def test_an_empty_partition_has_an_empty_page(index: Index, partition: str) -> None:
    assert list(await index.page(partition, most=10, **ALL)) == []


@pytest.mark.parametrize("many", [1, 2, 100, 101, 250])
async def test_what_was_put_is_there_in_the_order_of_keys(
    index: Index, partition: str, many: int
) -> None:
    await index.put(some(partition, reversed(range(many))))
    assert list(await index.page(partition, most=1000, **ALL)) == some(partition, range(many))


async def test_putting_nothing_and_removing_nothing_is_no_defect(index: Index) -> None:
    await index.put([])
    await index.remove([])


async def test_what_is_there_is_written_over(index: Index, partition: str) -> None:
    await index.put([entry(partition, 1, "one"), entry(partition, 2, "one")])
    await index.put([entry(partition, 2, "other"), entry(partition, 3, "other")])
    assert list(await index.page(partition, most=10, **ALL)) == [
        entry(partition, 1, "one"),
        entry(partition, 2, "other"),
        entry(partition, 3, "other"),
    ]


async def test_of_two_with_one_key_the_later_one_stays(index: Index, partition: str) -> None:
    await index.put([entry(partition, 1, "one"), entry(partition, 1, "other")])
    assert list(await index.page(partition, most=10, **ALL)) == [entry(partition, 1, "other")]


async def test_partitions_are_written_together_and_read_apart(index: Index, partition: str) -> None:
    partitions = [f"{partition}{number}" for number in range(40)]
    await index.put([entry(one, number) for number in range(3) for one in partitions])
    for one in partitions:
        assert list(await index.page(one, most=10, **ALL)) == some(one, range(3))


async def test_a_page_lies_between_its_bounds_without_them(index: Index, partition: str) -> None:
    await index.put(some(partition, range(10)))
    found = await index.page(partition, after=key(2), before=key(7), most=10)
    assert list(found) == some(partition, range(3, 7))


async def test_bounds_need_not_be_keys_that_are_there(index: Index, partition: str) -> None:
    await index.put(some(partition, range(3)))
    at = "2026-11-25T10:00:00.123456Z"
    assert list(await index.page(partition, after=at, before=f"{at}~", most=10)) == some(
        partition, range(3)
    )
    assert list(await index.page(partition, after="", before=at, most=10)) == []
    assert list(await index.page(partition, after=f"{at}~", before="~", most=10)) == []


async def test_a_page_has_as_many_as_were_asked_for(index: Index, partition: str) -> None:
    await index.put(some(partition, range(1150)))
    assert len(await index.page(partition, most=7, **ALL)) == 7
    assert len(await index.page(partition, most=1100, **ALL)) == 1100
    assert len(await index.page(partition, most=5000, **ALL)) == 1150


@pytest.mark.parametrize("many", [1, 2, 101])
async def test_what_was_removed_is_gone_and_can_be_removed_again(
    index: Index, partition: str, many: int
) -> None:
    other = f"{partition}-other"
    await index.put(some(partition, range(many)) + some(other, range(many)))
    for _ in range(2):
        await index.remove(some(partition, range(many)))
    assert list(await index.page(partition, most=10, **ALL)) == []
    assert len(await index.page(other, most=200, **ALL)) == many


async def test_removing_some_that_are_gone_removes_the_others(index: Index, partition: str) -> None:
    await index.put(some(partition, range(5)))
    await index.remove(some(partition, [1, 3]))
    await index.remove(some(partition, [0, 1, 2, 77]))
    assert list(await index.page(partition, most=10, **ALL)) == some(partition, [4])


async def test_a_row_of_the_trail_is_found_under_each_of_its_subjects(
    index: Index, partition: str
) -> None:
    name = partition.split(":")[1]
    row = {
        "action": "request.refused",
        "agent_name": name,
        "at": "2026-11-25T10:00:00.123456Z",
        "azp": f"app-{name}",
        "number": 7,
        "oid": f"user-{name}",
        "outcome": "refused",
        "session_id": f"{name}--0123456789",
        "stream": "2026-11-25_ab12",
    }
    text = json.dumps(row)
    entries = entries_of(text.encode())
    await index.put(entries)
    assert sorted(one.partition for one in entries) == [
        f"agent:{name}:refusals",
        "all::refusals",
        f"application:app-{name}:refusals",
        f"session:{name}--0123456789",
        f"user:user-{name}:refusals",
    ]
    for one in entries:
        assert one in await index.page(one.partition, most=10, **ALL)
    await index.remove(entries)


async def test_in_memory_the_table_can_be_down(partition: str) -> None:
    index = MemoryIndex()
    index.down = True
    with pytest.raises(StorageUnavailable):
        await index.put([entry(partition, 1)])


class TestOnAzurite:
    """What only the real adapter has: transactions, and a wire that breaks."""

    @pytest.fixture
    async def index(self, account: TablesAccount, forwarder: Forwarder) -> TableIndex:
        index = TableIndex(account)
        await index.page("all::sessions", most=1, **ALL)
        forwarder.requests.clear()
        return index

    async def test_a_hundred_entries_of_a_partition_are_one_request(
        self, index: TableIndex, partition: str, forwarder: Forwarder
    ) -> None:
        await index.put(some(partition, range(100)))
        await index.put(some(partition, range(101)))
        await index.remove(some(partition, range(100)))
        assert forwarder.requests == ["POST /devstoreaccount1/$batch"] * 4

    async def test_the_largest_rows_are_as_many_requests_as_the_service_needs(
        self, index: TableIndex, partition: str, forwarder: Forwarder
    ) -> None:
        large = [entry(partition, number, "é" * 8_000) for number in range(100)]
        await index.put(large)
        assert forwarder.requests == ["POST /devstoreaccount1/$batch"] * 6
        assert list(await index.page(partition, most=1000, **ALL)) == large

    async def test_an_answer_that_was_lost_is_asked_for_again(
        self, index: TableIndex, partition: str, forwarder: Forwarder
    ) -> None:
        forwarder.answers_to_lose = 1
        await index.put(some(partition, range(3)))
        forwarder.answers_to_lose = 1
        await index.remove(some(partition, range(2)))
        assert list(await index.page(partition, most=10, **ALL)) == some(partition, [2])

    async def test_a_wire_that_breaks_is_unavailable_and_all_can_be_done_again(
        self, index: TableIndex, partition: str, forwarder: Forwarder
    ) -> None:
        entries = [entry(f"{partition}{number}", number) for number in range(20)]
        for call in (index.put, index.remove):
            forwarder.answers_to_lose = 40
            with pytest.raises(StorageUnavailable):
                await call(entries)
            forwarder.answers_to_lose = 0
            await call(entries)
        for one in entries:
            assert list(await index.page(one.partition, most=10, **ALL)) == []

    @pytest.mark.parametrize("wrong", ["", "a/b", "a b", "é"])
    async def test_a_key_that_tables_do_not_take_never_reaches_them(
        self, index: TableIndex, forwarder: Forwarder, wrong: str
    ) -> None:
        for one in (Entry(wrong, "key", "{}"), Entry("partition", wrong, "{}")):
            with pytest.raises(ValueError, match="not a table key"):
                await index.put([one])
        with pytest.raises(ValueError, match="not a table key"):
            await index.page(wrong, most=1, **ALL)
        assert forwarder.requests == []

    async def test_a_table_that_is_missing_is_made_at_the_first_put(
        self, index: TableIndex, account: TablesAccount, partition: str
    ) -> None:
        await account._service.delete_table("auditindex")
        await index.put(some(partition, range(3)))
        assert list(await index.page(partition, most=10, **ALL)) == some(partition, range(3))

    async def test_outside_local_a_missing_table_is_told_and_not_made(
        self, index: TableIndex, account: TablesAccount, partition: str
    ) -> None:
        await account._service.delete_table("auditindex")
        elsewhere = TableIndex(TablesAccount(account._service, account.insertion))
        for attempt in (
            lambda: elsewhere.put(some(partition, range(3))),
            lambda: elsewhere.page(partition, most=10, **ALL),
        ):
            with pytest.raises(StorageUnavailable) as refused:
                await attempt()
            assert "TableNotFound" in refused.value.reason
        await index.put([])
        await index.page(partition, most=1, **ALL)


def test_a_transaction_has_neither_too_many_entities_nor_too_many_bytes() -> None:
    rows = [{"RowKey": str(number), "row": "é" * (number * 20)} for number in range(400)]
    made = [*transactions.transactions(rows)]
    assert [row for one in made for row in one] == rows
    assert max(len(one) for one in made) == 100
    assert max(len(json.dumps(one)) for one in made) < MOST_BYTES + 1000
    assert min(len(one) for one in made) < 40


def test_an_entity_beyond_the_bound_is_a_transaction_of_its_own() -> None:
    rows = [{"row": "a" * size} for size in (1, MOST_BYTES + 1, 1)]
    assert [*transactions.transactions(rows)] == [[row] for row in rows]
