"""Limits hold when many start in one moment: on the whole service, by what its callers see."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from lkps_core import undoing
from lkps_core.audit import stream
from lkps_core.freshness import OLDEST
from lkps_core.policy.model import PlatformLimits
from lkps_core.policy.quotas import WINDOW
from tests.builders.lkps import ADMIN, ALICE, CLIENT, OTHER_CLIENT, Answered, Lkps, user
from tests.builders.stepping import SteppingRooms
from tests.unit.policy.parts.authority import put
from tests.unit.policy.parts.policies import GRANTED, OPEN, grant

MOST = 20

type Limit = Callable[[Lkps, int | None], Awaitable[None]]


async def by_grant(lkps: Lkps, most: int | None) -> None:
    await put(lkps.agents, GRANTED)
    await put(lkps.grants, grant(max_sessions=most))


async def by_agent(lkps: Lkps, most: int | None) -> None:
    await put(lkps.agents, replace(OPEN, max_sessions=most))


async def by_platform(lkps: Lkps, most: int | None) -> None:
    await put(lkps.agents, OPEN)
    await put(lkps.limits, PlatformLimits(max_sessions_per_agent=most))


REASONS: dict[Limit, str] = {
    by_grant: "grant_sessions_limit",
    by_agent: "agent_sessions_limit",
    by_platform: "platform_sessions_limit",
}


@pytest.fixture(params=REASONS, ids=lambda limit: limit.__name__)
async def limit(request: pytest.FixtureRequest) -> Limit:
    chosen: Limit = request.param
    return chosen


@pytest.fixture
async def lkps(limit: Limit) -> Lkps:
    """With an agent that takes 20 sessions at once; nobody has started one yet."""
    lkps = Lkps()
    await limit(lkps, MOST)
    return lkps


@pytest.fixture
async def granted() -> Lkps:
    """The same, by a grant: for what does not depend on which limit it is."""
    lkps = Lkps()
    await by_grant(lkps, MOST)
    return lkps


async def at_once(*starts: Awaitable[Answered]) -> Counter[int]:
    """How many were answered with which status."""
    return Counter(answer.status for answer in await asyncio.gather(*starts))


async def warmed(lkps: Lkps) -> Lkps:
    """It has just read that no session is open."""
    assert (await end(lkps, await lkps.start())).status == 200
    return lkps


async def end(lkps: Lkps, answer: Answered) -> Answered:
    return await lkps.send("POST", f"session/{answer.json['session_id']}/end", by=CLIENT)


async def started(lkps: Lkps, count: int = MOST) -> list[Answered]:
    answers = await asyncio.gather(*(lkps.start() for _ in range(count)))
    assert [answer.status for answer in answers] == [200] * count
    return [*answers]


def open_rooms(lkps: Lkps) -> int:
    return len(lkps.rooms.rooms)


# One process never exceeds a limit.


@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
async def test_of_a_hundred_starts_in_one_moment_20_succeed(
    lkps: Lkps, limit: Limit, is_warm: bool
) -> None:
    if is_warm:
        await warmed(lkps)
    answers = await asyncio.gather(*(lkps.start() for _ in range(100)))
    assert Counter(answer.status for answer in answers) == {200: MOST, 429: 100 - MOST}
    assert open_rooms(lkps) == len(await lkps.sessions.live_anywhere(lkps.clock())) == MOST
    refused = next(answer for answer in answers if answer.status == 429)
    assert (refused.json["code"], refused.headers["Retry-After"]) == ("too_many_sessions", "10")
    row = next(row for row in lkps.rows if row["action"] == "request.refused")
    assert row["reason"] == REASONS[limit]


async def test_the_limit_holds_for_as_long_as_the_sessions_are_open(lkps: Lkps) -> None:
    await started(lkps)
    for _ in range(30):
        lkps.clock.pass_by(1)
        assert (await at_once(*(lkps.start() for _ in range(3)))) == {429: 3}
    assert open_rooms(lkps) == MOST


async def test_the_limit_holds_while_rooms_are_slow_to_be_made(granted: Lkps) -> None:
    """A start counts from before its first effect, whenever the others come."""
    rooms = SteppingRooms(granted.rooms)
    stop = rooms.steps.stop("create", "before")
    slow = replace(granted, rooms=rooms, seed=3)
    first = asyncio.create_task(slow.start())
    await stop.reached.wait()
    for seconds in (0, 2.5, 2.5):
        granted.clock.pass_by(seconds)
        await asyncio.gather(*(slow.start() for _ in range(10)))
    assert open_rooms(granted) == MOST - 1
    stop.release()
    assert (await first).status == 200
    assert open_rooms(granted) == MOST


async def an_application_and_a_user(lkps: Lkps) -> Counter[int]:
    """A hundred starts in one moment, by the application itself and by a user of it in turn."""
    callers = (CLIENT, user("alice", "Session.Start", through="client"))
    return await at_once(*(lkps.start(by=callers[n % 2]) for n in range(100)))


async def test_an_application_and_its_users_fill_the_agent_together() -> None:
    lkps = Lkps()
    await by_agent(lkps, MOST)
    assert await an_application_and_a_user(lkps) == {200: MOST, 429: 100 - MOST}


async def test_an_application_and_its_users_each_fill_a_grant_of_their_own() -> None:
    lkps = Lkps()
    await by_grant(lkps, MOST)
    await put(lkps.grants, grant("any_user", max_sessions=MOST // 2))
    expected = MOST + MOST // 2
    assert await an_application_and_a_user(lkps) == {200: expected, 429: 100 - expected}


# Two processes exceed it by what they start in 5 s at most.


async def test_two_processes_start_40_in_one_moment_at_most_and_none_after_5_s(
    lkps: Lkps,
) -> None:
    other = lkps.another_process()
    for process in (lkps, other):
        await warmed(process)
    answers = await at_once(*((lkps, other)[n % 2].start() for n in range(200)))
    assert answers == {200: 2 * MOST, 429: 200 - 2 * MOST}
    lkps.clock.pass_by(OLDEST)
    for process in (lkps, other):
        assert await at_once(*(process.start() for _ in range(10))) == {429: 10}
    assert open_rooms(lkps) == 2 * MOST


async def test_a_process_that_knows_nothing_yet_exceeds_nothing(granted: Lkps) -> None:
    await started(granted)
    other = granted.another_process()
    assert await at_once(*(other.start() for _ in range(50))) == {429: 50}


async def test_what_two_processes_start_together_within_5_s_is_seen_by_both_after_it(
    granted: Lkps,
) -> None:
    other = granted.another_process()
    for process in (granted, other):
        await warmed(process)
    for process in (granted, other):
        await started(process, MOST // 2)
    granted.clock.pass_by(OLDEST)
    for process in (granted, other):
        assert await at_once(process.start()) == {429: 1}


# A start that fails gives its place back.


@contextmanager
def is_down(lkps: Lkps, part: str) -> Iterator[None]:
    """Nobody waits long for what is down; afterwards everyone is as patient as ever."""
    ports: dict[str, Any] = {"rooms": lkps.rooms, "trail": lkps.trail, "sessions": lkps.sessions}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(undoing, "PATIENCE", 0.01)
        patch.setattr(undoing, "PAUSES", (0.002,) * 5000)
        patch.setattr(stream, "PATIENCE", 0.05)
        patch.setattr(stream, "FIRST_PAUSE", 0.001)
        patch.setattr(stream, "LONGEST_PAUSE", 0.002)
        ports[part].down = True
        yield
        ports[part].down = False


@pytest.mark.parametrize("part", ["rooms", "trail", "sessions"])
@pytest.mark.parametrize("with_keys", [False, True], ids=["anew", "repeated with their keys"])
async def test_starts_that_fail_leave_every_place_free_and_no_more(
    granted: Lkps, part: str, with_keys: bool
) -> None:
    await warmed(granted)
    keys = [f"{number}" if with_keys else None for number in range(100)]
    with is_down(granted, part):
        assert await at_once(*(granted.start(key=key) for key in keys[:MOST])) == {503: MOST}
    await granted.services.starting._undoing.drained()
    answers = await at_once(*(granted.start(key=key) for key in keys))
    assert answers == {200: MOST, 429: 100 - MOST}
    assert open_rooms(granted) == len(await granted.sessions.live_anywhere(granted.clock())) == MOST


@pytest.mark.parametrize("part", ["rooms", "trail"])
async def test_repeats_that_fail_free_no_place(granted: Lkps, part: str) -> None:
    await warmed(granted)
    keys = [f"{number}" for number in range(MOST)]
    assert await at_once(*(granted.start(key=key) for key in keys)) == {200: MOST}
    with is_down(granted, part):
        assert await at_once(*(granted.start(key=key) for key in keys)) == {503: MOST}
    assert await at_once(*(granted.start() for _ in range(10))) == {429: 10}


# A repeat is no new session.


async def test_a_repeat_at_the_limit_is_the_session_that_is_there(lkps: Lkps) -> None:
    first = await lkps.start(key="one")
    await started(lkps, MOST - 1)
    for process in (lkps, lkps.another_process()):
        repeat = await process.start(key="one")
        assert (repeat.status, repeat.json["session_id"]) == (200, first.json["session_id"])
        assert (await process.start(key="two")).status == 429
    assert open_rooms(lkps) == MOST


async def test_a_hundred_repeats_in_one_moment_take_one_place(granted: Lkps) -> None:
    answers = await asyncio.gather(*(granted.start(key="one") for _ in range(100)))
    sessions = {answer.json["session_id"] for answer in answers if answer.status == 200}
    assert len(sessions) == 1
    await started(granted, MOST - 1)
    assert (await granted.start()).status == 429


# Ending a session frees its place.


async def test_ending_a_session_frees_its_place_at_once(lkps: Lkps) -> None:
    answers = await started(lkps)
    for answer in answers[:3]:
        assert (await lkps.start()).status == 429
        await end(lkps, answer)
        assert (await lkps.start()).status == 200
        assert (await lkps.start()).status == 429
    assert open_rooms(lkps) == MOST


async def test_ending_many_sessions_frees_as_many_places(granted: Lkps) -> None:
    answers = await started(granted)
    await asyncio.gather(*(end(granted, answer) for answer in answers[:7]))
    assert await at_once(*(granted.start() for _ in range(50))) == {200: 7, 429: 43}


async def test_in_another_process_the_place_is_free_after_5_s(lkps: Lkps) -> None:
    answers = await started(lkps)
    other = lkps.another_process()
    assert (await other.start()).status == 429
    await end(lkps, answers[0])
    assert (await other.start()).status == 429
    lkps.clock.pass_by(OLDEST)
    assert (await other.start()).status == 200
    assert (await other.start()).status == 429


async def test_ending_a_session_twice_frees_one_place(granted: Lkps) -> None:
    answers = await started(granted)
    for _ in range(3):
        await end(granted, answers[0])
    assert await at_once(*(granted.start() for _ in range(10))) == {200: 1, 429: 9}


async def test_rooms_that_livekit_has_closed_free_their_places(lkps: Lkps) -> None:
    answers = await started(lkps)
    lkps.clock.pass_by(30)
    for answer in answers[:5]:
        await lkps.rooms.delete(answer.json["room_name"])
    assert await at_once(*(lkps.start() for _ in range(50))) == {200: 5, 429: 45}


async def test_raising_the_limit_counts_at_once_for_whoever_is_refused(
    lkps: Lkps, limit: Limit
) -> None:
    await started(lkps)
    assert (await lkps.start()).status == 429
    await limit(lkps, MOST + 5)
    assert await at_once(*(lkps.start() for _ in range(50))) == {200: 5, 429: 45}


async def test_taking_the_limit_away_lets_everyone_in(lkps: Lkps, limit: Limit) -> None:
    await started(lkps)
    await limit(lkps, None)
    assert await at_once(*(lkps.start() for _ in range(50))) == {200: 50}


async def test_a_limit_through_the_api_counts_at_once() -> None:
    lkps = Lkps()
    await by_agent(lkps, None)
    await started(lkps)
    shown = await lkps.send("GET", "agents/concierge", by=ADMIN)
    changed = await lkps.send(
        "PATCH",
        "agents/concierge",
        {"max_sessions": MOST + 1},
        by=ADMIN,
        headers={"if-match": shown.headers["ETag"]},
    )
    assert changed.status == 200
    assert await at_once(*(lkps.start() for _ in range(10))) == {200: 1, 429: 9}


async def test_in_report_only_nobody_is_refused_and_the_trail_says_who_would_be(
    limit: Limit,
) -> None:
    lkps = Lkps()
    await limit(lkps, MOST)
    (stored,) = await lkps.agents.page("agents")
    await put(lkps.agents, replace(stored.row, report_only=True))
    answers = await at_once(*(lkps.start() for _ in range(30)))
    would = [row["would_deny"] for row in lkps.rows if "would_deny" in row]
    if limit is by_platform:
        assert (answers, would) == ({200: MOST, 429: 10}, [])
    else:
        assert (answers, would) == ({200: 30}, [REASONS[limit]] * 10)


# Starts a minute.


async def with_quotas(**limits: int) -> Lkps:
    """An open agent, and a process that has read the limits once."""
    lkps = Lkps()
    await put(lkps.agents, OPEN)
    await put(lkps.limits, PlatformLimits(**limits))
    assert (await lkps.start(by=OTHER_CLIENT)).status == 200
    return lkps


async def test_an_application_starts_exactly_as_many_a_minute_as_it_may() -> None:
    lkps = await with_quotas(starts_per_minute_per_application=30)
    for _ in range(3):
        assert await at_once(*(lkps.start() for _ in range(100))) == {200: 30, 429: 70}
        lkps.clock.pass_by(WINDOW)


async def test_a_user_starts_exactly_as_many_a_minute_as_they_may() -> None:
    lkps = await with_quotas(starts_per_minute_per_user=10)
    for _ in range(3):
        assert await at_once(*(lkps.start(by=ALICE) for _ in range(50))) == {200: 10, 429: 40}
        lkps.clock.pass_by(WINDOW)


async def test_a_user_starts_60_a_minute_where_nobody_set_another_limit() -> None:
    lkps = Lkps()
    await put(lkps.agents, OPEN)
    assert await at_once(*(lkps.start(by=ALICE) for _ in range(80))) == {200: 60, 429: 20}


async def test_whoever_is_refused_is_told_when_to_come_back_and_is_admitted_then() -> None:
    lkps = await with_quotas(starts_per_minute_per_application=5)
    assert await at_once(*(lkps.start() for _ in range(4))) == {200: 4}
    lkps.clock.pass_by(20)
    assert (await lkps.start()).status == 200
    refused = await lkps.start()
    assert (refused.status, refused.json["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "40"
    lkps.clock.pass_by(39)
    assert (await lkps.start()).status == 429
    lkps.clock.pass_by(1)
    assert await at_once(*(lkps.start() for _ in range(9))) == {200: 4, 429: 5}


async def test_refused_starts_are_not_counted() -> None:
    lkps = await with_quotas(starts_per_minute_per_application=5)
    assert await at_once(*(lkps.start() for _ in range(5))) == {200: 5}
    for _ in range(59):
        lkps.clock.pass_by(1)
        assert (await lkps.start()).status == 429
    lkps.clock.pass_by(1)
    assert await at_once(*(lkps.start() for _ in range(6))) == {200: 5, 429: 1}


async def test_for_refused_starts_only_the_limits_are_read_once_and_nothing_is_made() -> None:
    lkps = await with_quotas(starts_per_minute_per_application=5)
    assert await at_once(*(lkps.start() for _ in range(5))) == {200: 5}
    lkps.clock.pass_by(OLDEST)
    await asyncio.sleep(0)

    def calls() -> list[int]:
        return [*(len(table.calls) for table in lkps.tables), len(lkps.rooms.calls)]

    before, rows = calls(), len(lkps.rows)
    assert await at_once(*(lkps.start(key=f"{n}") for n in range(100))) == {429: 100}
    await asyncio.sleep(0)
    place = lkps.tables.index(lkps.limits)
    before[place] += 1  # in the background: they may have been raised
    assert calls() == before
    assert len(lkps.rows) == rows + 1  # the first refusal; repeats are one counted row a minute


async def test_one_caller_at_its_limit_is_in_nobody_elses_way() -> None:
    lkps = await with_quotas(starts_per_minute_per_application=5)
    assert await at_once(*(lkps.start() for _ in range(50))) == {200: 5, 429: 45}
    assert (await lkps.start(by=OTHER_CLIENT)).status == 200
    assert (await lkps.start(by=ALICE)).status == 200


async def test_a_start_that_fails_or_is_refused_by_policy_counts_all_the_same() -> None:
    """What it bounds is what a caller costs."""
    lkps = await with_quotas(starts_per_minute_per_application=5)
    assert await at_once(*(lkps.start("nobody") for _ in range(10))) == {403: 5, 429: 5}


async def test_each_process_counts_for_itself() -> None:
    lkps = await with_quotas(starts_per_minute_per_application=5)
    other = lkps.another_process()
    assert (await other.start(by=OTHER_CLIENT)).status == 200
    for process in (lkps, other):
        assert await at_once(*(process.start() for _ in range(50))) == {200: 5, 429: 45}


async def test_a_limit_set_in_another_process_counts_within_5_s() -> None:
    lkps = await with_quotas(starts_per_minute_per_application=50)
    assert await at_once(*(lkps.start() for _ in range(10))) == {200: 10}
    await put(lkps.limits, PlatformLimits(starts_per_minute_per_application=12))
    lkps.clock.pass_by(OLDEST)
    assert (await lkps.start()).status == 200
    assert await at_once(*(lkps.start() for _ in range(10))) == {200: 1, 429: 9}
