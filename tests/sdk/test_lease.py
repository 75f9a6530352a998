"""The lease's decisions, with a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lkps.client import AgentDescription, Registration
from lkps.errors import CredentialError, LkpsError, Refused, Unavailable
from lkps.lease import Lease
from lkps.retries import Clock
from tests.sdk.parts.registrar import MemoryRegistrar, MovedClock
from tests.sdk.parts.waiting import eventually

AGENT = AgentDescription("concierge", instance="host-1")
AWAY = Unavailable("LKPS cannot be reached")


class LeaseBench:
    """A lease with its surroundings."""

    def __init__(self, chance: float = 0.0) -> None:
        self.clock = MovedClock()
        self.lkps = MemoryRegistrar(self.clock)
        self.changes: list[Registration] = []
        clock = Clock(now=self.clock.now, sleep=self.clock.sleep, chance=lambda: chance)
        self.lease = Lease(self.lkps, AGENT, changed=self.changes.append, clock=clock)

    async def after(self, naps: int) -> None:
        """Time goes on for so many pauses of the lease."""
        self.clock.allow(naps)
        await self.lease.open()
        await eventually(lambda: len(self.clock.slept) == naps)


@pytest.fixture
async def bench() -> AsyncIterator[LeaseBench]:
    bench = LeaseBench()
    yield bench
    await bench.lease.close()


async def test_opening_registers_once_and_gives_the_token(bench: LeaseBench) -> None:
    registration = await bench.lease.open()

    assert bench.lkps.registered == [AGENT]
    assert registration.deployment == "secret-1"
    assert await bench.lease.token() == "token-1"


@pytest.mark.parametrize(
    ("chance", "pause"), [(0.0, 60.0), (1.0, 48.0)], ids=["latest", "earliest"]
)
async def test_a_renewal_comes_when_lkps_says_or_up_to_a_fifth_earlier(
    chance: float, pause: float
) -> None:
    bench = LeaseBench(chance)
    await bench.after(naps=3)

    assert bench.clock.slept == [pause] * 3
    await bench.lease.close()


async def test_the_token_is_renewed_before_it_expires(bench: LeaseBench) -> None:
    await bench.after(naps=6)
    await eventually(lambda: len(bench.lkps.renewed_with) == 6)

    assert await bench.lease.token() == "token-2"


async def test_an_expired_token_is_never_given(bench: LeaseBench) -> None:
    bench.lkps.token_seconds = 600
    await bench.lease.open()
    bench.clock.time = bench.lkps._expiry()

    assert await bench.lease.token() == "token-2"


async def test_a_token_that_livekit_refused_is_replaced(bench: LeaseBench) -> None:
    await bench.lease.open()
    bench.lease.token_was_refused()

    assert await bench.lease.token() == "token-2"


async def test_a_clock_that_is_wrong_does_not_ask_for_tokens_for_ever(bench: LeaseBench) -> None:
    bench.lkps.token_seconds = -3600
    await bench.lease.open()

    assert await bench.lease.token() == "token-2"
    assert len(bench.lkps.renewed_with) == 1


async def test_lkps_learns_at_once_with_which_new_secret_the_worker_is_connected(
    bench: LeaseBench,
) -> None:
    await bench.lease.open()
    bench.lease.connected()
    bench.lkps.routing_version = 2
    bench.clock.allow(1)
    await eventually(lambda: bench.changes)

    bench.lease.connected()

    await eventually(lambda: bench.lkps.renewed_with == [1, 2])


async def test_a_reconnection_with_the_same_secret_is_no_news(bench: LeaseBench) -> None:
    await bench.lease.open()
    bench.lease.connected()
    bench.lease.connected()
    bench.clock.allow(1)
    await eventually(lambda: bench.lkps.renewed_with == [1])

    assert bench.clock.slept == [60.0]


async def test_waiting_for_a_token_outlasts_an_absence_of_lkps(bench: LeaseBench) -> None:
    await bench.lease.open()
    bench.lease.token_was_refused()
    bench.lkps.failures = [AWAY, AWAY]
    waiting = asyncio.create_task(bench.lease.token())
    await eventually(lambda: len(bench.lkps.failures) == 1)
    assert not waiting.done()

    bench.clock.allow(2)

    assert await waiting == "token-2"


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.5), (1.0, 1.0)], ids=["least", "most"])
async def test_failures_are_retried_ever_later_up_to_half_a_minute(
    chance: float, share: float
) -> None:
    bench = LeaseBench(chance)
    bench.lkps.failures = [None, *[AWAY] * 6]
    await bench.after(naps=7)

    assert bench.clock.slept[1:] == [share * one for one in (2, 4, 8, 16, 30, 30)]
    await bench.lease.close()


@pytest.mark.parametrize(
    ("asked", "waited"), [(0, 1.0), (20, 20.0), (86400, 300.0)], ids=["none", "some", "absurd"]
)
async def test_a_retry_waits_as_long_as_lkps_asks_for(
    bench: LeaseBench, asked: int, waited: float
) -> None:
    bench.lkps.failures = [None, Unavailable("busy", retry_after=asked)]
    await bench.after(naps=2)

    assert bench.clock.slept[1:] == [waited]


@pytest.mark.parametrize(
    "failure",
    [AWAY, CredentialError("expired"), Refused(403, "agent_not_runnable", "no", "request-1")],
    ids=["away", "credential", "refused"],
)
async def test_a_lease_heals_whatever_the_failure_was(
    bench: LeaseBench, failure: LkpsError, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lkps")
    bench.lkps.failures = [None, failure, failure]
    await bench.after(naps=4)
    await eventually(lambda: len(bench.lkps.renewed_with) == 2)

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert bench.clock.slept[-1] == 60


@pytest.mark.parametrize(
    "failure",
    [CredentialError("wrong secret"), Refused(401, "token_invalid", "no", "request-1")],
    ids=["credential", "refused"],
)
async def test_the_first_registration_fails_at_once_when_waiting_would_not_help(
    bench: LeaseBench, failure: LkpsError
) -> None:
    bench.lkps.failures = [failure]

    with pytest.raises(type(failure)):
        await bench.lease.open()

    assert bench.clock.slept == []


async def test_the_first_registration_waits_for_lkps(bench: LeaseBench) -> None:
    bench.lkps.failures = [AWAY, AWAY]
    await bench.after(naps=3)

    assert bench.lkps.registered == [AGENT]
    assert bench.clock.slept == [1, 2, 60]


async def test_a_lease_that_is_over_becomes_a_new_registration(bench: LeaseBench) -> None:
    await bench.lease.open()
    bench.lkps.live.clear()
    bench.lease.token_was_refused()

    assert await bench.lease.token() == "token-2"
    assert bench.lkps.registered == [AGENT, AGENT]
    assert bench.changes == []


async def test_a_new_routing_secret_is_told_once_and_reported_when_connected(
    bench: LeaseBench,
) -> None:
    await bench.lease.open()
    bench.lease.connected()
    bench.lkps.routing_version = 2
    bench.clock.allow(3)
    await eventually(lambda: len(bench.lkps.renewed_with) == 3)
    assert [change.deployment for change in bench.changes] == ["secret-2"]
    assert bench.lkps.renewed_with == [1, 1, 1]

    bench.lease.connected()
    bench.lease.token_was_refused()
    await bench.lease.token()

    assert bench.lkps.renewed_with[-1] == 2


async def test_another_livekit_is_told_too(bench: LeaseBench) -> None:
    await bench.lease.open()
    bench.lkps.live.clear()
    bench.lkps.livekit_url = "wss://other.example"
    bench.lease.token_was_refused()
    await bench.lease.token()

    assert [change.livekit_url for change in bench.changes] == ["wss://other.example"]


async def test_closing_ends_the_registration_and_a_second_time_nothing(bench: LeaseBench) -> None:
    await bench.lease.open()
    await bench.lease.close()
    assert bench.lkps.live == set()

    bench.lkps.failures = [AWAY]
    await bench.lease.close()

    assert bench.lkps.failures == [AWAY]


async def test_closing_never_raises(bench: LeaseBench) -> None:
    await bench.lease.open()
    bench.lkps.failures = [AWAY]

    await bench.lease.close()

    assert bench.lkps.failures == []
