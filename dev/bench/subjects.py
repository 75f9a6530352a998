"""What is measured: two operations of LKPS, their two references, and the floors under those."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from itertools import batched

import aiohttp
from azure.data.tables.aio import TableServiceClient
from livekit.api import AccessToken, LiveKitAPI, VideoGrants
from livekit.protocol.agent_dispatch import RoomAgentDispatch
from livekit.protocol.room import CreateRoomRequest, DeleteRoomRequest, ListRoomsRequest

from dev.bench.policy import govern
from dev.bench.rounds import Request, Subject
from dev.platform import Platform

START, REGISTER = "session start", "registration"
CREATE_ROOM, INSERT = "one CreateRoom (livekit-api)", "one insert (azure-data-tables)"
BARE_CREATE_ROOM, BARE_INSERT = "one CreateRoom, bare HTTP", "one insert, bare HTTP"
HELLO = "hello function"

_AGENT = "bench"
_TABLE = "bench"
_AT_ONCE = 32


@asynccontextmanager
async def subjects(
    platform: Platform, hello_url: str, settled: Request
) -> AsyncIterator[list[Subject]]:
    """All subjects, ready and once used, until the block ends.

    `settled` returns once the service does nothing more about the sessions that it started.
    """
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        livekit_api(platform) as livekit,
        TableServiceClient.from_connection_string(_connection_string(platform)) as tables,
    ):
        await tables.create_table_if_not_exists(_TABLE)
        table = tables.get_table_client(_TABLE)
        own, service = [os.getpid()], [platform.service.pid]

        async def insert() -> None:
            await table.create_entity(_row())

        async def create_room() -> None:
            await livekit.room.create_room(_room())

        async def end_rooms() -> None:
            """Ten thousand empty rooms cost LiveKit a third of a core and 2 GiB."""
            listed = await livekit.room.list_rooms(ListRoomsRequest())
            for rooms in batched(listed.rooms, _AT_ONCE, strict=False):
                deletions = (DeleteRoomRequest(room=room.name) for room in rooms)
                await asyncio.gather(*map(livekit.room.delete_room, deletions))

        register = await _register(platform, session, _AGENT)

        async def end_sessions() -> None:
            await end_rooms()
            await settled()
            await register()  # online again: a registration that nobody renews lapses

        await register()
        await govern(platform, session, _AGENT)
        yield [
            Subject(HELLO, _get(session, hello_url), []),
            Subject(START, await _start(platform, session), service, end_sessions),
            Subject(REGISTER, await _register(platform, session, "registered"), service),
            Subject(CREATE_ROOM, create_room, own, end_rooms),
            Subject(BARE_CREATE_ROOM, _bare_create_room(platform, session), own, end_rooms),
            Subject(INSERT, insert, own),
            Subject(BARE_INSERT, _bare_insert(platform, session), own),
        ]


async def _start(platform: Platform, session: aiohttp.ClientSession) -> Request:
    access_token = await platform.access_token("client")
    return _post(platform, session, "session/start", access_token, _AGENT)


async def _register(platform: Platform, session: aiohttp.ClientSession, agent_name: str) -> Request:
    access_token = await platform.access_token("agent")
    return _post(platform, session, "agent/register", access_token, agent_name)


def _post(
    platform: Platform,
    session: aiohttp.ClientSession,
    path: str,
    access_token: str,
    agent_name: str,
) -> Request:
    url = f"{platform.lkps_url}/api/{path}"
    headers = {"Authorization": f"Bearer {access_token}"}

    async def post() -> None:
        async with session.post(url, json={"agent_name": agent_name}, headers=headers) as response:
            await response.read()
            response.raise_for_status()

    return post


def _get(session: aiohttp.ClientSession, url: str) -> Request:
    async def get() -> None:
        async with session.get(url) as response:
            await response.read()
            response.raise_for_status()

    return get


def _room() -> CreateRoomRequest:
    dispatch = RoomAgentDispatch(agent_name=_AGENT, deployment="nobody")
    return CreateRoomRequest(name=uuid.uuid4().hex, empty_timeout=360, agents=[dispatch])


def _row() -> dict[str, str]:
    return {"PartitionKey": "bench", "RowKey": uuid.uuid4().hex, "row": "x" * 600}


@asynccontextmanager
async def livekit_api(platform: Platform) -> AsyncIterator[LiveKitAPI]:
    settings = platform.settings
    async with LiveKitAPI(
        settings["LKPS_LIVEKIT_URL"],
        settings["LKPS_LIVEKIT_API_KEY"],
        settings["LKPS_LIVEKIT_API_SECRET"],
    ) as livekit:
        yield livekit


def _bare_create_room(platform: Platform, session: aiohttp.ClientSession) -> Request:
    settings = platform.settings
    url = settings["LKPS_LIVEKIT_URL"].replace("ws", "http", 1)
    token = AccessToken(settings["LKPS_LIVEKIT_API_KEY"], settings["LKPS_LIVEKIT_API_SECRET"])
    token.with_grants(VideoGrants(room_create=True))
    headers = {
        "Authorization": f"Bearer {token.to_jwt()}",
        "Content-Type": "application/protobuf",
    }

    async def create() -> None:
        async with session.post(
            f"{url}/twirp/livekit.RoomService/CreateRoom",
            data=_room().SerializeToString(),
            headers=headers,
        ) as response:
            await response.read()
            response.raise_for_status()

    return create


def _bare_insert(platform: Platform, session: aiohttp.ClientSession) -> Request:
    parts = dict(
        part.split("=", 1) for part in _connection_string(platform).split(";") if "=" in part
    )
    account, key = parts["AccountName"], base64.b64decode(parts["AccountKey"])
    url = f"{parts['TableEndpoint']}/{_TABLE}"
    numbers = itertools.count()

    async def insert() -> None:
        date = formatdate(usegmt=True)
        signed = hmac.new(key, f"{date}\n/{account}/{account}/{_TABLE}".encode(), hashlib.sha256)
        row = {**_row(), "RowKey": f"bare-{os.getpid()}-{next(numbers)}"}
        signature = base64.b64encode(signed.digest()).decode()
        headers = {
            "Authorization": f"SharedKeyLite {account}:{signature}",
            "x-ms-date": date,
            "x-ms-version": "2019-02-02",
            "Accept": "application/json;odata=nometadata",
            "Prefer": "return-no-content",
        }
        async with session.post(url, json=row, headers=headers) as response:
            await response.read()
            response.raise_for_status()

    return insert


def _connection_string(platform: Platform) -> str:
    return platform.settings["LKPS_TABLES_CONNECTION_STRING"]
