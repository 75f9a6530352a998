"""Group commit: one transaction for all that waits for a partition, and a bound on it."""

import asyncio
from collections.abc import Sequence

from lkps_core.adapters.tables.codec import Entity
from lkps_core.adapters.tables.commit import BATCH, GroupCommit


class Table:
    """The row keys of each transaction, in order; each takes a moment."""

    def __init__(self) -> None:
        self.transactions: list[list[str]] = []
        self.began = asyncio.Event()

    async def insert(self, entities: Sequence[Entity]) -> Sequence[str | Exception]:
        self.transactions.append([entity["RowKey"] for entity in entities])
        self.began.set()
        await asyncio.sleep(0)
        return [f"etag of {entity['RowKey']}" for entity in entities]


def row(key: int, partition: str = "agent") -> Entity:
    return {"PartitionKey": partition, "RowKey": str(key)}


async def test_a_batch_is_one_transaction_of_its_table() -> None:
    table = Table()
    commit = GroupCommit(table.insert)
    etags = await asyncio.gather(*(commit.add(row(key)) for key in range(BATCH)))
    assert table.transactions == [[str(key) for key in range(BATCH)]]
    assert etags == [f"etag of {key}" for key in range(BATCH)]


async def test_what_is_more_than_a_batch_is_the_next_one() -> None:
    table = Table()
    commit = GroupCommit(table.insert)
    await asyncio.gather(*(commit.add(row(key)) for key in range(4 * BATCH)))
    assert [len(one) for one in table.transactions] == [BATCH] * 4


async def test_what_comes_while_a_transaction_is_on_its_way_shares_the_next_one() -> None:
    table = Table()
    commit = GroupCommit(table.insert)
    first = asyncio.create_task(commit.add(row(0)))
    await table.began.wait()
    await asyncio.gather(*(commit.add(row(key)) for key in (1, 2, 3)), first)
    assert table.transactions == [["0"], ["1", "2", "3"]]


async def test_no_transaction_has_rows_of_two_partitions() -> None:
    table = Table()
    commit = GroupCommit(table.insert)
    rows = [row(1, "one"), row(2, "two"), row(3, "one"), row(4, "two")]
    await asyncio.gather(*(commit.add(one) for one in rows))
    assert sorted(table.transactions) == [["1", "3"], ["2", "4"]]


async def test_no_transaction_has_a_key_twice() -> None:
    table = Table()
    commit = GroupCommit(table.insert)
    await asyncio.gather(*(commit.add(row(key)) for key in (1, 1, 2)))
    assert table.transactions == [["1", "2"], ["1"]]
