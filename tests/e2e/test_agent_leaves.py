"""How an agent leaves, on the real parts: whether another comes, and how soon."""

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial

import pytest
from livekit.protocol.models import ParticipantInfo

from tests.e2e.parts.guest import Guest, joined
from tests.e2e.parts.lkps import Answer, Lkps
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually

PROGRAM = "tests/e2e/programs/obedient_agent.py"
SOON = 5.0
"""Seconds in which another agent is to be in the room."""


@dataclass
class Talk:
    """A client in a room with the agent, and who looks on."""

    lkps: Lkps
    rooms: Rooms
    tables: Tables
    started: Answer
    guest: Guest

    @property
    def session_id(self) -> str:
        return str(self.started["session_id"])

    async def agents(self) -> Sequence[ParticipantInfo]:
        return await self.rooms.agents(self.started["room_name"])

    async def has_another_agent_than(self, identity: str) -> bool:
        there = [one.identity for one in await self.agents()]
        return len(there) == 1 and there != [identity]

    async def is_seen_by_the_guest(self) -> bool:
        there = {one.identity for one in await self.agents()}
        return {one.identity for one in self.guest.agents} == there

    async def has_no_agent(self) -> bool:
        return not await self.agents()

    async def tells(self, status: str, outcome: str | None) -> bool:
        shown = (await self.lkps.show(self.session_id)).json
        return (shown["agent_status"], shown.get("agent_outcome")) == (status, outcome)

    async def orders(self, what: str) -> None:
        await self.guest.me.publish_data(what.encode(), topic="do")

    async def dispatches(self) -> list[str]:
        rows = await self.tables.trail(session_id=self.session_id, action="session.dispatched")
        return [row["reason"] for row in rows]


@pytest.fixture
async def talk(
    lkps: Lkps, agents: AgentLauncher, agent_name: str, rooms: Rooms, tables: Tables
) -> AsyncIterator[Talk]:
    agent = await agents.start(PROGRAM)
    await agent.is_connected()
    started = await lkps.start(agent_name, wait_for_agent=10)
    assert started["agent_status"] == "joined"
    async with joined(started["livekit_url"], started["participant_token"]) as guest:
        talk = Talk(lkps, rooms, tables, started, guest)
        await eventually(lambda: guest.agents)
        yield talk


@pytest.mark.parametrize("how", ["raise", "be killed"])
async def test_an_agent_that_crashes_is_replaced_within_five_seconds(talk: Talk, how: str) -> None:
    (lost,) = await talk.agents()
    began = time.monotonic()

    await talk.orders(how)
    await eventually(lambda: talk.has_another_agent_than(lost.identity), 2 * SOON)

    assert time.monotonic() - began < SOON
    assert await talk.dispatches() == ["failed"]
    await eventually(lambda: talk.tells("joined", "failed"))
    shown = await talk.lkps.show(talk.session_id)
    assert shown["agent_dispatches"] == 2
    (row,) = await talk.tables.trail(session_id=talk.session_id, action="session.job_ended")
    assert (row["reason"], row["participant_identity"]) == ("failed", lost.identity)


async def test_an_agent_that_is_done_is_not_replaced(talk: Talk) -> None:
    await talk.orders("shut down")
    await eventually(talk.has_no_agent)
    await eventually(lambda: talk.tells("left", "completed"))

    await talk.lkps.platform.service.fire("full_sweep")

    assert await talk.has_no_agent()
    assert await talk.dispatches() == []


async def test_after_the_third_agent_no_further_one_comes(talk: Talk) -> None:
    for _ in range(2):
        (lost,) = await talk.agents()
        await talk.orders("raise")
        await eventually(partial(talk.has_another_agent_than, lost.identity), 2 * SOON)
        await eventually(talk.is_seen_by_the_guest)
    await talk.orders("raise")
    await eventually(talk.has_no_agent)
    await eventually(lambda: talk.tells("left", "failed"))

    assert await talk.dispatches() == ["failed", "failed"]
    assert (await talk.lkps.show(talk.session_id))["agent_dispatches"] == 3


async def test_an_agent_that_fails_before_it_joins_is_dispatched_again(
    lkps: Lkps, agents: AgentLauncher, agent_name: str, tables: Tables
) -> None:
    agents.environment["OBEDIENT_AGENT_FOLDER"] = str(agents.folder)
    agent = await agents.start(PROGRAM)
    await agent.is_connected()

    started = await lkps.start(agent_name, metadata="raise before joining", wait_for_agent=10)

    assert started["agent_status"] == "joined"
    rows = await tables.trail(session_id=started["session_id"], action="session.dispatched")
    assert [row["reason"] for row in rows] == ["failed"]


async def test_which_instance_has_which_session_is_told_to_who_manages_the_agent(
    talk: Talk, agent_name: str
) -> None:
    (agent,) = await talk.agents()
    await eventually(lambda: _jobs(talk, agent_name))
    (instance,) = (await talk.lkps.call("admin", "GET", f"agents/{agent_name}"))["instances"]
    assert await _jobs(talk, agent_name) == [
        {
            "participant_identity": agent.identity,
            "outcome": "joined",
            "registration_id": instance["registration_id"],
        }
    ]


async def _jobs(talk: Talk, agent_name: str) -> list[object]:
    """Once both LiveKit and the instance have told of it."""
    path = f"sessions?agent_name={agent_name}&state=open"
    (session,) = (await talk.lkps.call("admin", "GET", path))["sessions"]
    jobs: list[dict[str, object]] = session["agent_jobs"]
    return [one for one in jobs if one["outcome"] == "joined" and "registration_id" in one]
