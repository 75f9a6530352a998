"""When the session client asks again, and when it does not."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from lkps import (
    ConfigurationError,
    CredentialError,
    EditedMeanwhile,
    RateLimited,
    SessionClient,
    Unavailable,
)
from tests.sdk.parts.answerer import Fate, Told, answering, page, problem
from tests.sdk.parts.client import (
    INVITATION,
    INVITED,
    SHOWN,
    STARTED,
    Bench,
    SleptClock,
    bench,
)
from tests.sdk.parts.ports import free_port

SHORTEST = 0.25


@pytest.fixture
async def it() -> AsyncIterator[Bench]:
    async with bench(Told(200, STARTED)) as it:
        yield it


@pytest.mark.parametrize(
    ("fate", "pause"),
    [
        ("cut", SHORTEST),
        (page(408), SHORTEST),
        (page(429), SHORTEST),
        (page(500), SHORTEST),
        (page(502), SHORTEST),
        (page(504), SHORTEST),
        (problem(500, "defect"), SHORTEST),
        (problem(503, "livekit_unavailable", 5), 5 + SHORTEST),
        (problem(429, "rate_limited", 3), 3 + SHORTEST),
        (problem(429, "too_many_sessions", 10), 10 + SHORTEST),
        (problem(409, "edited_meanwhile", 1), 1 + SHORTEST),
    ],
    ids=str,
)
async def test_a_start_that_may_succeed_later_is_the_same_start_again(
    it: Bench, fate: Fate, pause: float
) -> None:
    it.answerer.fates = [fate]

    session = await it.lkps.start("concierge", metadata="{}")

    first, second = it.answerer.sent("Idempotency-Key")
    assert first == second
    assert it.answerer.bodies[0] == it.answerer.bodies[1]
    assert len(set(it.answerer.sent("X-Request-ID"))) == 2
    assert it.clock.slept == [pause]
    assert session.session_id == "concierge--abc"


async def listed(lkps: SessionClient) -> object:
    return [one async for one in lkps.list("concierge")]


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda lkps: lkps.token("concierge--abc"), Told(200, STARTED)),
        (lambda lkps: lkps.join("concierge--abc", INVITATION), Told(200, STARTED)),
        (lambda lkps: lkps.invite("concierge--abc"), Told(201, INVITED)),
        (lambda lkps: lkps.get("concierge--abc"), Told(200, SHOWN)),
        (lambda lkps: lkps.end("concierge--abc"), Told(200, SHOWN)),
        (listed, Told(200, {"sessions": [SHOWN]})),
    ],
    ids=["token", "join", "invite", "get", "end", "list"],
)
async def test_everything_else_is_asked_again_too(
    it: Bench, call: Callable[[SessionClient], Awaitable[object]], answer: Told
) -> None:
    it.answerer.fates = ["cut", problem(503, "storage_unavailable"), answer]

    assert await call(it.lkps)

    assert len(it.answerer.requests) == 3


async def test_pauses_double_up_to_four_seconds_and_end_in_time(it: Bench) -> None:
    it.answerer.answer = page(502)

    with pytest.raises(Unavailable, match="502"):
        await it.lkps.start("concierge")

    assert it.clock.slept == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    assert len(it.answerer.requests) == 10


async def test_half_of_a_pause_is_chance() -> None:
    async with bench(page(502), chance=1.0) as it:
        with pytest.raises(Unavailable):
            await it.lkps.start("concierge")

    assert it.clock.slept == [0.5, 1.0, 2.0, 4.0, 4.0]


async def test_who_is_told_to_come_back_too_late_does_not_wait(it: Bench) -> None:
    it.answerer.answer = problem(429, "rate_limited", 14)

    with pytest.raises(RateLimited) as caught:
        await it.lkps.start("concierge")

    assert caught.value.retry_after == 14
    assert it.clock.slept == []


async def test_the_last_error_is_the_one_that_is_raised(it: Bench) -> None:
    it.answerer.fates = [page(502), problem(409, "edited_meanwhile", 30)]

    with pytest.raises(EditedMeanwhile):
        await it.lkps.end("concierge--abc")


async def test_a_longer_time_is_more_attempts() -> None:
    async with bench(problem(503, "storage_unavailable", 5), timeout=60) as it:
        with pytest.raises(Unavailable):
            await it.lkps.get("concierge--abc")

    assert 54 <= sum(it.clock.slept) <= 59


@pytest.mark.parametrize("timeout", [0, -1])
def test_no_time_at_all_is_a_mistake_and_not_for_ever(timeout: float) -> None:
    with pytest.raises(ConfigurationError, match="more than 0"):
        SessionClient(lkps_url="https://lkps.example", timeout=timeout)


async def test_waiting_for_the_agent_does_not_count(it: Bench) -> None:
    it.answerer.fates = [problem(503, "storage_unavailable", 20)]

    await it.lkps.start("concierge", wait_for_agent=10)

    assert it.clock.slept == [20 + SHORTEST]


async def test_an_attempt_that_hangs_leaves_time_for_another() -> None:
    async with bench(Told(200, STARTED), timeout=3) as it:
        it.answerer.fates = ["hang"]

        assert (await it.lkps.start("concierge")).session_id == "concierge--abc"

    first, second = it.answerer.sent("Idempotency-Key")
    assert first == second


async def test_an_lkps_that_is_not_there_is_unavailable_under_the_request_id_that_was_sent(
    it: Bench,
) -> None:
    it.answerer.fates = ["cut"] * 10

    with pytest.raises(Unavailable, match="LKPS cannot be reached") as caught:
        await it.lkps.start("concierge")

    assert caught.value.request_id == it.answerer.sent("X-Request-ID")[-1]


class FailingCredential:
    """Fails as told, then gives a token."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    async def access_token(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "an-access-token"


def client_of(credential: FailingCredential, url: str, clock: SleptClock) -> SessionClient:
    return SessionClient(lkps_url=url, credential=credential, clock=clock.clock())


async def test_an_entra_id_that_is_away_is_asked_again() -> None:
    credential, clock = FailingCredential(Unavailable("Entra ID cannot be reached")), SleptClock()
    async with (
        answering(Told(200, STARTED)) as answerer,
        client_of(credential, answerer.url, clock) as lkps,
    ):
        assert await lkps.start("concierge")

    assert clock.slept == [SHORTEST]


@pytest.mark.parametrize("failure", [CredentialError("no"), RuntimeError("no")], ids=repr)
async def test_an_entra_id_that_says_no_is_not(failure: Exception) -> None:
    credential, clock = FailingCredential(failure), SleptClock()
    async with client_of(credential, f"http://127.0.0.1:{free_port()}", clock) as lkps:
        with pytest.raises(CredentialError):
            await lkps.start("concierge")

    assert clock.slept == []


async def test_a_call_that_is_repeated_says_so_once(
    it: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    it.answerer.fates = [page(502)] * 3

    await it.lkps.start("concierge")

    (line,) = [one for one in caplog.records if one.name == "lkps"]
    assert line.levelno == logging.WARNING
    assert line.getMessage().startswith("LKPS is asked again: LKPS answers 502")
