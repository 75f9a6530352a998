"""How long a row is remembered, and that nothing stale is remembered anew."""

import asyncio
import logging

import pytest

from lkps_core.errors import StorageUnavailable
from lkps_core.freshness import OLDEST, REFRESH_AFTER, Fresh
from tests.builders.conditions import until


class Source:
    """A value that changes, behind a read that can be held up."""

    def __init__(self) -> None:
        self.value = "first"
        self.time = 100.0
        self.reads = 0
        self.down = False
        self.gate: asyncio.Event | None = None
        self.fresh = Fresh[str, str](self._read, lambda: self.time)

    async def _read(self, _: str) -> str:
        self.reads += 1
        value, gate = self.value, self.gate
        if gate is not None:
            await gate.wait()
        if self.down:
            raise StorageUnavailable(reason="down")
        return value


@pytest.fixture
def source() -> Source:
    return Source()


async def test_a_value_is_read_once_and_remembered(source: Source) -> None:
    assert [await source.fresh.get("key") for _ in range(3)] == ["first"] * 3
    assert source.reads == 1


async def test_it_is_read_anew_when_it_is_too_old(source: Source) -> None:
    await source.fresh.get("key")
    source.value, source.time = "second", source.time + OLDEST
    assert not source.fresh.holds("key")
    assert await source.fresh.get("key") == "second"


async def test_its_age_counts_from_the_start_of_the_read(source: Source) -> None:
    source.gate = asyncio.Event()
    reading = asyncio.create_task(source.fresh.get("key"))
    await until(lambda: source.reads == 1)
    source.time += OLDEST
    source.gate.set()
    assert await reading == "first"
    source.value = "second"
    assert await source.fresh.get("key") == "second"


async def test_a_value_in_use_is_refreshed_off_the_path(source: Source) -> None:
    await source.fresh.get("key")
    source.value, source.time = "second", source.time + REFRESH_AFTER
    assert await source.fresh.get("key") == "first"
    await until(lambda: source.reads == 2)
    await asyncio.sleep(0)
    source.time += OLDEST - 0.1
    assert await source.fresh.get("key") == "second"


async def test_while_it_is_refreshed_nobody_refreshes_it_again(source: Source) -> None:
    await source.fresh.get("key")
    source.time += REFRESH_AFTER
    source.gate = asyncio.Event()
    for _ in range(5):
        await source.fresh.get("key")
        await asyncio.sleep(0)
    assert source.reads == 2
    source.gate.set()


async def test_a_refresh_that_fails_leaves_the_value_until_it_is_too_old(
    source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await source.fresh.get("key")
    source.time, source.down = source.time + REFRESH_AFTER, True
    assert await source.fresh.get("key") == "first"
    await until(lambda: bool(caplog.records))
    assert await source.fresh.get("key") == "first"
    source.time += OLDEST
    with pytest.raises(StorageUnavailable):
        await source.fresh.get("key")


async def test_what_is_not_there_is_not_remembered(source: Source) -> None:
    source.value = ""
    assert await source.fresh.get("key") == ""
    source.value = "there"
    assert await source.fresh.get("key") == "there"


async def test_what_is_no_longer_there_is_forgotten(source: Source) -> None:
    await source.fresh.get("key")
    source.value = ""
    assert await source.fresh.read("key") == ""
    assert not source.fresh.holds("key")


async def test_what_was_forgotten_is_read_anew(source: Source) -> None:
    await source.fresh.get("key")
    source.value = "second"
    source.fresh.forget("key")
    assert await source.fresh.get("key") == "second"


async def test_a_read_that_began_before_a_change_is_not_remembered_after_it(
    source: Source,
) -> None:
    source.gate = asyncio.Event()
    reading = asyncio.create_task(source.fresh.get("key"))
    await until(lambda: source.reads == 1)
    source.value = "second"
    source.fresh.forget("key")
    source.gate.set()
    assert await reading == "first"
    source.gate = None
    assert await source.fresh.get("key") == "second"


async def test_of_two_reads_the_later_one_is_remembered_whichever_ends_last(
    source: Source,
) -> None:
    slow = source.gate = asyncio.Event()
    earlier = asyncio.create_task(source.fresh.read("key"))
    await until(lambda: source.reads == 1)
    source.gate, source.value = None, "second"
    assert await source.fresh.read("key") == "second"
    slow.set()
    assert await earlier == "first"
    assert await source.fresh.get("key") == "second"


async def test_keys_are_remembered_apart(source: Source) -> None:
    await source.fresh.get("one")
    source.value = "second"
    assert await source.fresh.get("other") == "second"
    assert await source.fresh.get("one") == "first"
