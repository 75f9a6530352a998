"""A backend's session client on the real platform, with what it has in its environment."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

import pytest

from dev.demo.caller import Caller
from dev.platform import Platform
from lkps import (
    AgentNotCallable,
    InvitationInvalid,
    KeyReused,
    SessionClient,
    SessionEnded,
    SessionNotFound,
    StartedSession,
    sync,
)
from tests.e2e.parts.gateway import Gateway, Loss, forwarding
from tests.e2e.parts.lkps import Lkps
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually

BRIEFLY = 6.0
"""Seconds: half of it is an attempt's that hangs."""


@pytest.fixture(autouse=True)
def environment(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application `client`'s."""
    for name, value in platform.agent_environment("client").items():
        monkeypatch.setenv(name, value)


async def test_a_backend_starts_a_session_talks_to_the_agent_and_ends_it(
    agents: AgentLauncher, agent_name: str, rooms: Rooms, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    agent = await agents.echo()
    await agent.is_connected()
    caller = Caller()
    async with SessionClient() as lkps:
        session = await lkps.start(
            agent_name, participant_identity="alice", participant_name="Alice", wait_for_agent=10
        )
        room = await session.connect(caller.room)
        echo = await asyncio.wait_for(caller.exchange(b"hello"), 20)
        seen = await lkps.get(session.session_id)
        listed = [one.session_id async for one in lkps.list(agent_name, state="open")]
        ended = await lkps.end(session.session_id)
        await asyncio.wait_for(caller.disconnected.wait(), 20)
    await caller.leave()

    assert echo == b"hello"
    assert session.agent_status == "joined"
    assert (room.name, room.local_participant.identity) == (session.room_name, "alice")
    assert room.local_participant.name == "Alice"
    assert (seen.state, seen.agent_status, seen.agent_dispatches) == ("joined", "joined", 1)
    assert listed == [session.session_id]
    assert (ended.state, ended.cause) == ("ended", "ended_by_starter")
    assert session.participant_token not in caplog.text
    await eventually(lambda: _has_no_room(rooms, agent_name))


async def test_a_program_without_asyncio_does_the_same(
    agents: AgentLauncher, agent_name: str, rooms: Rooms
) -> None:
    agent = await agents.echo()
    await agent.is_connected()
    caller = Caller()
    lkps = sync.SessionClient()
    session = await asyncio.to_thread(lkps.start, agent_name, wait_for_agent=10)
    await session.connect(caller.room)
    echo = await asyncio.wait_for(caller.exchange(b"hello"), 20)
    listed = await asyncio.to_thread(lambda: list(lkps.list(agent_name)))
    ended = await asyncio.to_thread(lkps.end, session.session_id)
    await asyncio.wait_for(caller.disconnected.wait(), 20)
    await caller.leave()
    await asyncio.to_thread(lkps.close)

    assert echo == b"hello"
    assert session.agent_status == "joined"
    assert [one.session_id for one in listed] == [session.session_id]
    assert ended.state == "ended"
    await eventually(lambda: _has_no_room(rooms, agent_name))


@pytest.mark.parametrize("loss", ["cut", "hang"])
async def test_a_start_whose_answer_is_lost_is_one_session(
    platform: Platform, lkps: Lkps, agent_name: str, rooms: Rooms, tables: Tables, loss: Loss
) -> None:
    await lkps.register(agent_name)
    async with forwarding(platform.lkps_url) as gateway:
        _lose_first(gateway, "/session/start", loss)
        async with SessionClient(lkps_url=gateway.url, timeout=BRIEFLY) as client:
            session = await client.start(agent_name)

    await _require_one(gateway, session, rooms, tables, agent_name)


async def test_so_it_is_for_a_program_without_asyncio(
    platform: Platform, lkps: Lkps, agent_name: str, rooms: Rooms, tables: Tables
) -> None:
    await lkps.register(agent_name)

    def program(url: str) -> StartedSession:
        with sync.SessionClient(lkps_url=url) as client:
            return client.start(agent_name)

    async with forwarding(platform.lkps_url) as gateway:
        _lose_first(gateway, "/session/start", "cut")
        session = await asyncio.to_thread(program, gateway.url)

    await _require_one(gateway, session, rooms, tables, agent_name)


async def test_everything_else_whose_answer_is_lost_is_done_once_or_harmlessly_twice(
    platform: Platform, lkps: Lkps, agent_name: str, tables: Tables
) -> None:
    await lkps.register(agent_name)
    credential = _Credential(lambda: lkps.access_token("other-client"))
    async with forwarding(platform.lkps_url) as gateway:

        def client(credential: _Credential | None = None) -> SessionClient:
            return SessionClient(lkps_url=gateway.url, credential=credential)

        async with client() as starter, client(credential) as guest:
            session_id = (await starter.start(agent_name)).session_id
            _lose_first(gateway, "/invitations", "cut")
            invited = await starter.invite(session_id)
            _lose_first(gateway, "/token", "cut")
            joined = await guest.join(session_id, invited.invitation, participant_identity="bob")
            _lose_first(gateway, "/token", "cut")
            again = await guest.token(session_id)
            _lose_first(gateway, session_id, "cut")
            seen = await guest.get(session_id)
            _lose_first(gateway, "/end", "cut")
            ended = await starter.end(session_id)

    assert len(gateway.lost) == 5
    assert joined.participant_identity == again.participant_identity == "bob"
    assert seen.participant_identity == "bob"
    assert (ended.state, ended.cause) == ("ended", "ended_by_starter")
    (row,) = await tables.sessions(agent_name)
    assert len(row["guests"]) == 1


async def test_what_lkps_refuses_is_a_class_to_decide_on(lkps: Lkps, agent_name: str) -> None:
    await lkps.register(agent_name)
    other = _Credential(lambda: lkps.access_token("other-client"))
    async with SessionClient() as client, SessionClient(credential=other) as stranger:
        session = await client.start(agent_name, idempotency_key="order-17")

        with pytest.raises(AgentNotCallable):
            await client.start("no-such-agent")
        with pytest.raises(KeyReused):
            await client.start(agent_name, idempotency_key="order-17", metadata="another")
        with pytest.raises(SessionNotFound) as unknown:
            await stranger.get(session.session_id)
        with pytest.raises(InvitationInvalid):
            await stranger.join(session.session_id, "none")
        await client.end(session.session_id)
        with pytest.raises(SessionEnded):
            await client.start(agent_name, idempotency_key="order-17")
        with pytest.raises(SessionEnded):
            await client.token(session.session_id)

    assert unknown.value.status == 404


class _Credential:
    """A credential of the application's own."""

    def __init__(self, ask: Callable[[], Awaitable[str]]) -> None:
        self._ask = ask

    async def access_token(self) -> str:
        return await self._ask()


def _lose_first(gateway: Gateway, text: str, loss: Loss) -> None:
    """The answer of the next request whose path ends so."""
    left = [loss]

    def lose(_: str, path: str) -> Loss | None:
        return left.pop() if left and path.endswith(text) else None

    gateway.lose = lose


async def _require_one(
    gateway: Gateway, session: StartedSession, rooms: Rooms, tables: Tables, agent_name: str
) -> None:
    (lost,), (passed,) = gateway.lost, gateway.passed
    assert json.loads(lost.answer)["session_id"] == session.session_id
    assert json.loads(passed.answer)["session_id"] == session.session_id
    (row,) = await tables.sessions(agent_name)
    assert (row["id"], row["state"]) == (session.session_id, "open")
    assert await rooms.of_agent(agent_name) == {session.room_name}
    assert len(await rooms.dispatches(session.room_name)) == 1


async def _has_no_room(rooms: Rooms, agent_name: str) -> bool:
    return await rooms.of_agent(agent_name) == set()
