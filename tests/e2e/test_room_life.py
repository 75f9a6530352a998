"""A session's room on the real server: who comes and goes, who must not, and how it ends."""

import time

from livekit.protocol.models import Room

from dev.platform import Platform
from tests.e2e.parts.guest import joined
from tests.e2e.parts.lkps import Lkps, new_agent_name
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables
from tests.e2e.parts.worker import working
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually

LIVEKITS_NOTICE = 25.0
"""Seconds in which LiveKit notices that a participant is gone without a word: 20, as a rule."""


async def test_a_session_is_created_joined_and_over_as_livekit_tells(
    lkps: Lkps, agents: AgentLauncher, agent_name: str, tables: Tables
) -> None:
    agent = await agents.start("tests/e2e/programs/light_agent.py")
    await agent.is_connected()
    started = await lkps.start(agent_name, wait_for_agent=10)
    session_id = started["session_id"]

    assert started["agent_status"] == "joined"
    (row,) = await tables.sessions(agent_name)
    assert row["joined_at"] is None
    async with joined(started["livekit_url"], started["participant_token"]):
        await eventually(lambda: _has_joined(tables, agent_name))
        shown = await lkps.show(session_id)
        assert (shown["state"], shown["agent_status"]) == ("joined", "joined")
    await eventually(lambda: _has_ended(tables, agent_name), 60)

    shown = await lkps.show(session_id)
    assert (shown["state"], shown["cause"]) == ("ended", "everyone_left")
    (ended,) = await tables.trail(session_id=session_id, action="session.ended")
    assert (ended["reason"], ended["operation"]) == ("everyone_left", "livekit_webhook")


async def test_when_the_whole_worker_vanishes_another_agent_comes_once_livekit_notices(
    lkps: Lkps, agents: AgentLauncher, agent_name: str, rooms: Rooms, tables: Tables
) -> None:
    first = await agents.start("tests/e2e/programs/light_agent.py")
    await first.is_connected()
    started = await lkps.start(agent_name, wait_for_agent=10)
    room_name = started["room_name"]
    async with joined(started["livekit_url"], started["participant_token"]):
        (lost,) = await rooms.agents(room_name)
        second = await agents.start("tests/e2e/programs/light_agent.py")
        await second.is_connected()
        await first.kill()

        await eventually(lambda: _is_gone(rooms, room_name, lost.identity), LIVEKITS_NOTICE)
        noticed = time.monotonic()
        await eventually(lambda: rooms.agents(room_name), 5)
        assert time.monotonic() - noticed < 5

        (another,) = await rooms.agents(room_name)
        assert another.identity != lost.identity
        await eventually(lambda: _dispatches(lkps, started["session_id"], "joined"))
        shown = await lkps.show(started["session_id"])
        assert (shown["agent_dispatches"], shown["agent_outcome"]) == (2, "vanished")
    (row,) = await tables.trail(session_id=started["session_id"], action="session.dispatched")
    assert row["reason"] == "vanished"


async def test_an_agent_that_is_no_job_of_the_session_is_put_out_though_it_is_hidden(
    platform: Platform,
    lkps: Lkps,
    agents: AgentLauncher,
    agent_name: str,
    rooms: Rooms,
    tables: Tables,
) -> None:
    agent = await agents.start("tests/e2e/programs/light_agent.py")
    await agent.is_connected()
    foreign_name = new_agent_name()
    foreign = await lkps.register(foreign_name, "other-agent")
    started = await lkps.start(agent_name, wait_for_agent=10)
    room_name, url = started["room_name"], started["livekit_url"]
    async with (
        joined(url, started["participant_token"]) as guest,
        working(url, foreign["token"], foreign_name, foreign["deployment"], hidden=True) as worker,
    ):
        await worker.simulate(Room(name=room_name))
        await eventually(lambda: worker.tokens)
        async with joined(url, worker.tokens[0]) as intruder:
            assert {one.identity for one in await rooms.agents(room_name)} == {
                intruder.me.identity,
                *(one.identity for one in guest.agents),
            }
            await intruder.left.wait()
        (own,) = await rooms.agents(room_name)
        assert [one.identity for one in guest.agents] == [own.identity] != [intruder.me.identity]

    await eventually(lambda: tables.trail(action="session.agent_removed", agent_name=agent_name))
    (row,) = await tables.trail(action="session.agent_removed", agent_name=agent_name)
    assert (row["reason"], row["session_id"]) == ("foreign_agent", started["session_id"])
    assert row["participant_identity"] == f"agent-{worker.offered[0].id}"


async def test_an_agent_that_does_not_come_is_dispatched_again_by_who_started_the_session(
    platform: Platform, lkps: Lkps, agent_name: str, tables: Tables
) -> None:
    """The first worker takes the job, and never joins."""
    registered = await lkps.register(agent_name)
    url, secret = platform.livekit_url, registered["deployment"]
    async with working(url, registered["token"], agent_name, secret) as worker:
        started = await lkps.start(agent_name)
        await eventually(lambda: len(worker.offered) == 2, 15)

    (row,) = await tables.trail(session_id=started["session_id"], action="session.dispatched")
    assert (row["reason"], row["operation"]) == ("did_not_come", "session_start")
    assert worker.offered[0].metadata == worker.offered[1].metadata


async def _has_joined(tables: Tables, agent_name: str) -> bool:
    (row,) = await tables.sessions(agent_name)
    return row["joined_at"] is not None


async def _has_ended(tables: Tables, agent_name: str) -> bool:
    (row,) = await tables.sessions(agent_name)
    return bool(row["state"] == "ended")


async def _dispatches(lkps: Lkps, session_id: str, status: str) -> bool:
    return bool((await lkps.show(session_id))["agent_status"] == status)


async def _is_gone(rooms: Rooms, room_name: str, identity: str) -> bool:
    there = await rooms.participants(room_name)
    return all(one.identity != identity for one in there)
