"""In whichever order, however late and however often LiveKit and the workers tell it: the same."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkps_core.sessions.model import Session
from tests.builders.events import event, tell
from tests.builders.lkps import Lkps
from tests.unit.sessions.arranging import Talk, started

type Word = Callable[[], Awaitable[None]]
type Step = Callable[["World"], list[Word]]


@dataclass
class World:
    """A room as it goes on in truth, beside what LKPS is told of it."""

    talk: Talk
    registration_id: str
    first_agent: str
    seen: list[str] = field(default_factory=list[str])

    def tells(self, news: str, identity: str, reason: str = "CLIENT_INITIATED") -> Word:
        """LiveKit's word of this moment, whenever it comes."""
        talk = self.talk
        told = event(news, talk.room_name, talk.lkps.clock.now, identity=identity, reason=reason)

        async def word() -> None:
            assert (await tell(talk.lkps, told)).status == 200

        return word

    def reports(self, outcome: str) -> Word:
        async def word() -> None:
            answer = await self.talk.report(self.registration_id, self.first_agent, outcome)
            assert answer.status == 204, answer.raw

        return word


def agent_joins(world: World) -> list[Word]:
    return [world.reports("accepted"), world.tells("participant_joined", world.first_agent)]


def somebody_joins(world: World) -> list[Word]:
    world.talk.enter()
    return [world.tells("participant_joined", "somebody")]


def somebody_leaves(world: World) -> list[Word]:
    world.talk.leave()
    return [world.tells("participant_left", "somebody")]


def agent_is_done(world: World) -> list[Word]:
    world.talk.leave(world.first_agent)
    return [world.tells("participant_left", world.first_agent), world.reports("completed")]


def agent_crashes(world: World) -> list[Word]:
    """An exception: to LiveKit it looks like a normal end."""
    world.talk.leave(world.first_agent)
    return [world.tells("participant_left", world.first_agent), world.reports("failed")]


def agents_process_is_killed(world: World) -> list[Word]:
    """LiveKit lists it for a while."""
    return [world.reports("failed")]


def livekit_notices(world: World) -> list[Word]:
    world.talk.leave(world.first_agent)
    return [world.tells("participant_left", world.first_agent, "CONNECTION_TIMEOUT")]


def room_closes(world: World) -> list[Word]:
    world.talk.close()
    return [world.tells("room_finished", "")]


SCENARIOS: dict[str, Sequence[Step]] = {
    "a talk": (agent_joins, somebody_joins, agent_is_done, somebody_leaves, room_closes),
    "nobody comes": (agent_joins, room_closes),
    "a crash": (agent_joins, somebody_joins, agent_crashes),
    "a killed process": (agent_joins, somebody_joins, agents_process_is_killed, livekit_notices),
    "a lost worker": (agent_joins, somebody_joins, livekit_notices),
    "a farewell": (agent_joins, somebody_joins, agent_is_done),
    "an end after a crash": (
        agent_joins,
        somebody_joins,
        agent_crashes,
        somebody_leaves,
        room_closes,
    ),
}
"""Each ends with the room closed, or goes on."""

EVERY = 6.0
"""Seconds between two steps: no word is late by more than 30."""


async def final(scenario: Sequence[Step], delays: Sequence[int], repeats: Sequence[int]) -> Session:
    """The session once all was told, each word so many steps late and so often, and swept."""
    lkps = Lkps()
    registration_id = (await lkps.register())["registration_id"]
    talk = await started(lkps)
    world = World(talk, registration_id, talk.agents[0])
    waiting: list[tuple[int, int, Word]] = []
    number = 0
    for place, step in enumerate(scenario):
        for word in step(world):
            for _ in range(1 + repeats[number % len(repeats)]):
                waiting.append((place + delays[number % len(delays)], number, word))
                number += 1
        await _tell_due(waiting, place, delays)
        lkps.clock.pass_by(EVERY)
    await _tell_due(waiting, 10**6, delays)
    await _settle(lkps)
    return talk.row


async def _tell_due(
    waiting: list[tuple[int, int, Word]], place: int, delays: Sequence[int]
) -> None:
    due = [one for one in waiting if one[0] <= place]
    waiting[:] = [one for one in waiting if one[0] > place]
    for _, number, word in sorted(due, key=lambda one: (delays[one[1] % len(delays)], one[1])):
        del number
        await word()


async def _settle(lkps: Lkps) -> None:
    """Some minutes in which nothing happens but the sweep, and agents are online."""
    for _ in range(4):
        lkps.clock.now += timedelta(seconds=60)
        await lkps.register()
        await lkps.services.sweeping.full()
        await lkps.services.sweeping.due()


@cache
def in_good_order(name: str) -> dict[str, Any]:
    return told(asyncio.run(final(SCENARIOS[name], [0], [0])))


def told(session: Session) -> dict[str, Any]:
    """What callers, and the trail, say of it."""
    return {
        "state": session.state,
        "cause": session.cause,
        "joined": session.joined_at,
        "agent": session.agent_state,
        "outcome": {one.identity: one.outcome for one in session.jobs}.get("agent-AJ_1"),
        "dispatches": session.dispatches,
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_ends_as_it_should(name: str) -> None:
    expected = {
        "a talk": ("ended", "everyone_left", 1),
        "nobody comes": ("ended", "nobody_joined", 1),
        "a crash": ("open", None, 2),
        "a killed process": ("open", None, 2),
        "a lost worker": ("open", None, 2),
        "a farewell": ("open", None, 1),
        "an end after a crash": ("ended", "everyone_left", 2),
    }
    end = in_good_order(name)
    assert (end["state"], end["cause"], end["dispatches"]) == expected[name]
    if end["state"] == "open":
        assert end["agent"] == ("left" if name == "a farewell" else "joined")


@pytest.mark.timeout(400)
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(SCENARIOS)),
    delays=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    repeats=st.lists(st.integers(0, 2), min_size=1, max_size=8),
)
def test_late_shuffled_and_repeated_words_come_to_the_same(
    name: str, delays: list[int], repeats: list[int]
) -> None:
    end = told(asyncio.run(final(SCENARIOS[name], delays, repeats)))
    expected = in_good_order(name)
    if end["state"] == "ended":  # whether a lost agent was replaced in time is no fact of the end
        end |= {one: expected[one] for one in ("agent", "outcome", "dispatches")}
    assert end == expected


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(SCENARIOS)),
    kept=st.lists(st.booleans(), min_size=1, max_size=8),
)
def test_with_some_or_all_words_lost_the_sweep_brings_a_session_to_its_end(
    name: str, kept: list[bool]
) -> None:
    late = [0 if one else 10**7 for one in kept]
    end = told(asyncio.run(final(SCENARIOS[name], late, [0])))
    assert end["state"] == in_good_order(name)["state"]
