"""The agent can trust who called, and a token of LKPS opens what it is for and nothing else."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from livekit import rtc
from livekit.protocol.rtc import SignalResponse

from dev.platform import Platform
from tests.e2e.parts.guest import Guest, joined
from tests.e2e.parts.lkps import Answer, Lkps
from tests.e2e.parts.rooms import Rooms
from tests.sdk.parts.agent import AgentLauncher

type Attempt = Callable[[rtc.LocalParticipant], Awaitable[None]]

WITNESS = "tests/e2e/programs/witness_agent.py"


async def test_the_agent_sees_who_called_and_the_caller_cannot_change_it(
    lkps: Lkps, agents: AgentLauncher, agent_name: str, rooms: Rooms
) -> None:
    agent = await agents.start(WITNESS)
    await agent.is_connected()
    started = await lkps.start(
        agent_name,
        "alice",
        participant_name="Alice",
        participant_metadata="hers",
        participant_attributes={"language": "de"},
        wait_for_agent=10,
    )
    async with joined(started["livekit_url"], started["participant_token"]) as guest:
        before = json.loads(await guest.asks("witness"))
        for attempt in _FORGERIES:
            await _refused(attempt(guest.me))
        after = json.loads(await guest.asks("witness"))
        (listed,) = [
            one
            for one in await rooms.participants(started["room_name"])
            if one.identity == guest.me.identity
        ]
    ended = await lkps.end(started["session_id"], "alice")

    assert before == after
    assert (before["name"], before["metadata"]) == ("Alice", "hers")
    assert before["identity"] == started["participant_identity"]
    _require_caller(lkps, "alice", ended, before["attributes"])
    assert before["attributes"]["language"] == "de"
    assert dict(listed.attributes) == before["attributes"]
    assert (listed.name, listed.metadata) == ("Alice", "hers")


async def test_an_application_is_named_without_a_user(
    lkps: Lkps, agents: AgentLauncher, agent_name: str
) -> None:
    agent = await agents.start(WITNESS)
    await agent.is_connected()
    started = await lkps.start(agent_name, participant_identity="patient-7", wait_for_agent=10)
    async with joined(started["livekit_url"], started["participant_token"]) as guest:
        seen = json.loads(await guest.asks("witness"))
    ended = await lkps.end(started["session_id"])

    assert seen["identity"] == "patient-7"
    _require_caller(lkps, "client", ended, seen["attributes"])


@pytest.mark.parametrize(
    ("service", "method", "members"),
    [
        ("RoomService", "CreateRoom", {"name": "of-my-own"}),
        ("RoomService", "ListRooms", {}),
        ("RoomService", "DeleteRoom", {"room": "{room}"}),
        ("RoomService", "ListParticipants", {"room": "{room}"}),
        ("RoomService", "RemoveParticipant", {"room": "{room}", "identity": "{identity}"}),
        ("RoomService", "UpdateRoomMetadata", {"room": "{room}", "metadata": "mine"}),
        (
            "RoomService",
            "UpdateParticipant",
            {"room": "{room}", "identity": "{identity}", "attributes": {"lkps.user_oid": "me"}},
        ),
        ("RoomService", "SendData", {"room": "{room}", "data": "aGk="}),
        ("AgentDispatchService", "CreateDispatch", {"room": "{room}", "agentName": "concierge"}),
        ("AgentDispatchService", "ListDispatch", {"room": "{room}"}),
        ("Egress", "ListEgress", {}),
        ("Ingress", "ListIngress", {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("whose", ["participant_token", "token"])
async def test_neither_token_opens_the_server_api(
    platform: Platform,
    lkps: Lkps,
    rooms: Rooms,
    agent_name: str,
    service: str,
    method: str,
    members: dict[str, object],
    whose: str,
) -> None:
    registered = await lkps.register(agent_name)
    started = await lkps.start(agent_name)
    token = {**registered.json, **started.json}[whose]
    body = json.dumps(members)
    body = body.replace("{room}", started["room_name"])
    body = body.replace("{identity}", started["participant_identity"])

    async with (
        aiohttp.ClientSession(_http(platform.livekit_url)) as session,
        session.post(
            f"/twirp/livekit.{service}/{method}",
            data=body,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        ) as response,
    ):
        answer = await response.json()

    assert response.status in (401, 403), answer
    assert await rooms.of_agent(agent_name) == {started["room_name"]}
    assert "of-my-own" not in await rooms.names()
    assert len(await rooms.dispatches(started["room_name"])) == 1


async def test_a_participant_token_joins_its_room_whichever_is_asked_for(
    lkps: Lkps, agent_name: str, rooms: Rooms
) -> None:
    await lkps.register(agent_name)
    own, other = await lkps.start(agent_name), await lkps.start(agent_name, "other-client")
    query = {
        "access_token": own["participant_token"],
        "room": other["room_name"],
        "protocol": "9",
    }
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{own['livekit_url']}/rtc", params=query) as socket,
        asyncio.timeout(10),
    ):
        told = SignalResponse.FromString(await socket.receive_bytes())

        assert told.join.room.name == own["room_name"]
        assert await rooms.participants(other["room_name"]) == []


async def test_an_ended_session_is_joined_no_more(lkps: Lkps, agent_name: str) -> None:
    await lkps.register(agent_name)
    started = await lkps.start(agent_name)
    await lkps.end(started["session_id"])

    assert not await _joins(started["livekit_url"], started["participant_token"])


async def test_an_agent_token_joins_no_room(lkps: Lkps, agent_name: str) -> None:
    registered = await lkps.register(agent_name)

    assert not await _joins(registered["livekit_url"], registered["token"])


async def test_a_participant_token_connects_no_worker(
    platform: Platform, lkps: Lkps, agent_name: str
) -> None:
    await lkps.register(agent_name)
    started = await lkps.start(agent_name)
    headers = {"Authorization": f"Bearer {started['participant_token']}"}

    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{platform.livekit_url}/agent", headers=headers)

    assert refused.value.status == 401


_FORGERIES: tuple[Attempt, ...] = (
    lambda me: me.set_attributes({"lkps.user_oid": "00000000-0000-4000-8000-000000000000"}),
    lambda me: me.set_attributes({"lkps.client_app_id": ""}),
    lambda me: me.set_attributes({"language": "fr"}),
    lambda me: me.set_metadata("forged"),
    lambda me: me.set_name("Somebody else"),
)


async def _refused(attempt: Awaitable[None]) -> None:
    """The client library may raise or pass over the server's refusal; what counts is seen after."""
    try:
        async with asyncio.timeout(5):
            await attempt
    except (TimeoutError, RuntimeError):
        return


def _require_caller(lkps: Lkps, who: str, session: Answer, attributes: dict[str, Any]) -> None:
    identity = lkps.platform.identities[who]
    ours = {name: value for name, value in attributes.items() if name.startswith("lkps.")}
    assert ours == {
        "lkps.session_id": session["session_id"],
        "lkps.ends_at": session["ends_at"],
        "lkps.client_app_id": identity.client_id,
        "lkps.tenant_id": lkps.platform.tenant_id,
        **({"lkps.user_oid": identity.object_id} if identity.kind == "user" else {}),
    }


async def _joins(url: str, token: str) -> bool:
    guest = Guest()
    try:
        await guest.join(url, token)
    except rtc.ConnectError:
        return False
    await guest.leave()
    return True


def _http(url: str) -> str:
    return url.replace("ws://", "http://")
