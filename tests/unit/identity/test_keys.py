"""The key cache: when it fetches, whom it makes wait, and how long it believes what it has."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lkps_core.errors import KeysUnavailable, TokenInvalid
from lkps_core.identity import Keys
from lkps_core.identity import keys as policy
from tests.builders.tokens import ISSUER, NOW, PublishedKeys, signing_key

OLD = signing_key("tenant-key-1")
NEW = signing_key("other")


class ManualClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class SlowKeys(PublishedKeys):
    """Answers a fetch only once it is allowed to; what it answers was decided when it began."""

    def __init__(self) -> None:
        super().__init__(OLD)
        self.answer = asyncio.Event()

    async def fetch(self) -> Mapping[str, object]:
        published = await super().fetch()
        await self.answer.wait()
        return published


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def source() -> PublishedKeys:
    return PublishedKeys(OLD)


@pytest.fixture
def keys(source: PublishedKeys, clock: ManualClock) -> Keys:
    return Keys(source, ISSUER, clock)


@pytest.fixture
def slow() -> SlowKeys:
    return SlowKeys()


@pytest.fixture
def slow_keys(slow: SlowKeys, clock: ManualClock) -> Keys:
    return Keys(slow, ISSUER, clock)


async def settle() -> None:
    """Let every task run until it waits for something outside."""
    for _ in range(10):
        await asyncio.sleep(0)


async def fetched(source: PublishedKeys, times: int) -> None:
    await settle()
    assert source.fetches == times


async def all_of(callers: list[asyncio.Task[RSAPublicKey]]) -> list[RSAPublicKey]:
    return await asyncio.gather(*callers)


async def assert_unknown(keys: Keys, kid: str = "other") -> None:
    with pytest.raises(TokenInvalid) as refused:
        await keys.key(kid)
    assert refused.value.reason == "key_unknown"


async def assert_unavailable(keys: Keys, reason: str) -> None:
    with pytest.raises(KeysUnavailable) as refused:
        await keys.key(OLD.kid)
    assert refused.value.reason == reason


async def test_the_first_use_fetches_and_the_next_do_not(keys: Keys, source: PublishedKeys) -> None:
    assert source.fetches == 0
    for _ in range(3):
        assert await keys.key(OLD.kid) == OLD.private.public_key()
    assert source.fetches == 1


async def test_a_hundred_first_callers_share_one_fetch(slow_keys: Keys, slow: SlowKeys) -> None:
    callers = [asyncio.create_task(slow_keys.key(OLD.kid)) for _ in range(100)]
    await settle()
    slow.answer.set()
    assert await all_of(callers) == [OLD.private.public_key()] * len(callers)
    assert slow.fetches == 1


async def test_keys_are_fetched_again_after_an_hour_and_nobody_waits(
    slow_keys: Keys, slow: SlowKeys, clock: ManualClock
) -> None:
    slow.answer.set()
    await slow_keys.key(OLD.kid)
    slow.answer.clear()
    slow.publish(OLD, NEW)
    clock.forward(minutes=59, seconds=59)
    await slow_keys.key(OLD.kid)
    await settle()
    assert slow.fetches == 1
    clock.forward(seconds=1)
    for _ in range(3):
        assert await slow_keys.key(OLD.kid)
        await settle()
    assert slow.fetches == 2, "under way, and those who know their key have their answer"
    slow.answer.set()
    await settle()
    assert await slow_keys.key(NEW.kid) == NEW.private.public_key()
    assert slow.fetches == 2


async def test_a_refresh_that_fails_is_tried_again_each_minute(
    keys: Keys, source: PublishedKeys, clock: ManualClock
) -> None:
    await keys.key(OLD.kid)
    source.is_reachable = False
    clock.forward(hours=1)
    for minute in range(3):
        for _ in range(5):
            assert await keys.key(OLD.kid)
            await settle()
        assert source.fetches == 2 + minute
        clock.forward(minutes=1)


async def test_an_outage_goes_unnoticed_for_a_day_and_no_longer(
    keys: Keys, source: PublishedKeys, clock: ManualClock
) -> None:
    await keys.key(OLD.kid)
    source.is_reachable = False
    clock.forward(hours=23, minutes=59, seconds=59)
    assert await keys.key(OLD.kid)
    await fetched(source, 2)
    clock.forward(seconds=1)
    await assert_unavailable(keys, "published_nowhere")


async def test_trust_counts_from_when_the_fetch_began(
    slow_keys: Keys, slow: SlowKeys, clock: ManualClock
) -> None:
    first = asyncio.create_task(slow_keys.key(OLD.kid))
    await settle()
    clock.forward(seconds=4)
    slow.answer.set()
    await first
    slow.is_reachable = False
    clock.forward(hours=23, minutes=59, seconds=56)
    await assert_unavailable(slow_keys, "published_nowhere")


async def test_keys_that_fail_to_be_usable_leave_the_last_good_ones(
    keys: Keys, source: PublishedKeys, clock: ManualClock
) -> None:
    await keys.key(OLD.kid)
    source.jwks = {"keys": []}
    clock.forward(hours=2)
    await keys.key(OLD.kid)
    await fetched(source, 2)
    assert await keys.key(OLD.kid)


async def test_a_key_that_is_withdrawn_is_no_longer_known(
    keys: Keys, source: PublishedKeys, clock: ManualClock
) -> None:
    await keys.key(OLD.kid)
    source.publish(NEW)
    clock.forward(hours=1)
    await keys.key(OLD.kid)
    await fetched(source, 2)
    await assert_unknown(keys, OLD.kid)


async def test_after_an_outage_from_the_start_service_resumes_by_itself(
    keys: Keys, source: PublishedKeys, clock: ManualClock
) -> None:
    source.is_reachable = False
    for _ in range(100):
        await assert_unavailable(keys, "published_nowhere")
    assert source.fetches == 1, "a crowd does not hammer"
    source.is_reachable = True
    clock.forward(seconds=0.9)
    await assert_unavailable(keys, "published_nowhere")
    clock.forward(seconds=0.1)
    assert await keys.key(OLD.kid)


async def test_after_an_outage_of_more_than_a_day_service_resumes_by_itself(
    keys: Keys, source: PublishedKeys, clock: ManualClock
) -> None:
    await keys.key(OLD.kid)
    source.is_reachable = False
    clock.forward(hours=30)
    await assert_unavailable(keys, "published_nowhere")
    source.is_reachable = True
    clock.forward(seconds=1)
    assert await keys.key(OLD.kid)


async def test_the_pause_between_failures_counts_from_the_end_of_the_last(
    slow_keys: Keys, slow: SlowKeys, clock: ManualClock
) -> None:
    slow.jwks = {}
    first = asyncio.create_task(slow_keys.key(OLD.kid))
    await settle()
    clock.forward(seconds=5)
    slow.answer.set()
    with pytest.raises(KeysUnavailable):
        await first
    await assert_unavailable(slow_keys, "jwks_without_usable_key")
    assert slow.fetches == 1


async def test_a_rollover_right_after_start_up_is_followed_at_once(
    keys: Keys, source: PublishedKeys
) -> None:
    await keys.key(OLD.kid)
    source.publish(OLD, NEW)
    assert await keys.key(NEW.kid) == NEW.private.public_key()
    assert source.fetches == 2


async def test_an_unknown_name_at_the_very_first_use_costs_one_fetch(
    keys: Keys, source: PublishedKeys
) -> None:
    await assert_unknown(keys)
    assert source.fetches == 1, "the answer is as young as the question"


async def test_a_hundred_unknown_names_cost_one_fetch(keys: Keys, source: PublishedKeys) -> None:
    await keys.key(OLD.kid)
    answers = await asyncio.gather(
        *(keys.key(f"unknown-{n}") for n in range(100)), return_exceptions=True
    )
    assert all(isinstance(answer, TokenInvalid) for answer in answers)
    assert source.fetches == 2


async def test_callers_of_a_new_key_wait_together_for_one_fetch(
    slow_keys: Keys, slow: SlowKeys
) -> None:
    slow.answer.set()
    await slow_keys.key(OLD.kid)
    slow.answer.clear()
    slow.publish(NEW)
    callers = [asyncio.create_task(slow_keys.key(NEW.kid)) for _ in range(100)]
    await settle()
    slow.answer.set()
    assert await all_of(callers) == [NEW.private.public_key()] * len(callers)
    assert slow.fetches == 2


async def test_unknown_names_force_a_fetch_once_in_five_minutes(
    keys: Keys, source: PublishedKeys, clock: ManualClock
) -> None:
    await keys.key(OLD.kid)
    await assert_unknown(keys)
    source.publish(OLD, NEW)
    clock.forward(minutes=4, seconds=59)
    await assert_unknown(keys)
    assert source.fetches == 2
    clock.forward(seconds=1)
    assert await keys.key(NEW.kid)
    assert source.fetches == 3


async def test_a_forced_fetch_that_fails_counts_too(
    keys: Keys, source: PublishedKeys, clock: ManualClock
) -> None:
    await keys.key(OLD.kid)
    source.is_reachable = False
    for _ in range(5):
        await assert_unknown(keys)
        clock.forward(seconds=59)
    assert source.fetches == 2
    clock.forward(seconds=5)
    await assert_unknown(keys)
    assert source.fetches == 3


async def test_a_refresh_under_way_is_awaited_and_does_not_use_up_the_forced_one(
    slow_keys: Keys, slow: SlowKeys, clock: ManualClock
) -> None:
    slow.answer.set()
    await slow_keys.key(OLD.kid)
    slow.answer.clear()
    clock.forward(hours=1)
    await slow_keys.key(OLD.kid)
    await settle()
    slow.publish(OLD, NEW)  # too late for the refresh that began
    callers = [asyncio.create_task(slow_keys.key(NEW.kid)) for _ in range(10)]
    await settle()
    slow.answer.set()
    assert await all_of(callers) == [NEW.private.public_key()] * len(callers)
    assert slow.fetches == 3


async def test_a_cancelled_caller_leaves_the_fetch_to_the_others(
    slow_keys: Keys, slow: SlowKeys
) -> None:
    impatient = asyncio.create_task(slow_keys.key(OLD.kid))
    await settle()
    patient = asyncio.create_task(slow_keys.key(OLD.kid))
    await settle()
    impatient.cancel()
    await settle()
    assert impatient.cancelled()
    slow.answer.set()
    assert await patient
    assert slow.fetches == 1


async def test_a_fetch_whose_every_caller_was_cancelled_still_lands(
    slow_keys: Keys, slow: SlowKeys
) -> None:
    caller = asyncio.create_task(slow_keys.key(OLD.kid))
    await settle()
    caller.cancel()
    await settle()
    slow.answer.set()
    await settle()
    assert await slow_keys.key(OLD.kid)
    assert slow.fetches == 1


async def test_nobody_waits_beyond_the_patience_of_a_caller(
    slow_keys: Keys, slow: SlowKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "PATIENCE_SECONDS", 0.02)
    await assert_unavailable(slow_keys, "keys_not_fetched")
    slow.answer.set()
    await settle()
    assert await slow_keys.key(OLD.kid)
    slow.answer.clear()
    await assert_unknown(slow_keys)
    assert slow.fetches == 2
    slow.answer.set()
    await settle()


async def test_a_defect_of_the_source_is_not_told_as_an_outage(clock: ManualClock) -> None:
    class Defective(PublishedKeys):
        async def fetch(self) -> Mapping[str, object]:
            await super().fetch()
            raise ZeroDivisionError

    source = Defective()
    keys = Keys(source, ISSUER, clock)
    with pytest.raises(ZeroDivisionError):
        await keys.key(OLD.kid)
    await assert_unavailable(keys, "keys_not_fetched")
    assert source.fetches == 1


async def test_readiness_fetches_once_and_tells_an_outage(
    keys: Keys, source: PublishedKeys, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    source.is_reachable = False
    with pytest.raises(KeysUnavailable):
        await keys.ready()
    assert [record.__dict__["reason"] for record in caplog.records] == ["published_nowhere"]
    source.is_reachable = True
    clock.forward(seconds=1)
    await keys.ready()
    await keys.ready()
    assert await keys.key(OLD.kid)
    assert source.fetches == 2
