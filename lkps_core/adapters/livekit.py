"""The Rooms port over LiveKit's server API."""

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from typing import Final

import aiohttp
from google.protobuf.message import DecodeError
from livekit.api import LiveKitAPI, ServerError
from livekit.protocol.agent_dispatch import RoomAgentDispatch
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    ListParticipantsRequest,
    ListRoomsRequest,
)

from lkps_core.errors import LiveKitUnavailable
from lkps_core.ports import Room, RoomParticipant

CALL_SECONDS = 2.0

_AGENT_NAME: Final = "lk.agent_name"
_NOT_FOUND = "not_found"


class LiveKitRooms:
    """The client lives as long as the process; it must be made inside the event loop."""

    def __init__(self, url: str, api_key: str, api_secret: str) -> None:
        self._session = aiohttp.ClientSession()
        self._api = LiveKitAPI(url, api_key, api_secret, session=self._session, failover=False)

    async def create(self, room: Room) -> None:
        dispatch = RoomAgentDispatch(
            agent_name=room.agent_name, deployment=room.deployment, metadata=room.agent_metadata
        )
        await _answered(
            self._api.room.create_room(
                CreateRoomRequest(
                    name=room.name, empty_timeout=room.empty_timeout, agents=[dispatch]
                )
            )
        )

    async def delete(self, room_name: str) -> None:
        try:
            await _answered(self._api.room.delete_room(DeleteRoomRequest(room=room_name)))
        except LookupError:
            return

    async def standing(self, room_names: Collection[str]) -> frozenset[str]:
        if not room_names:  # to LiveKit, no names are all rooms
            return frozenset()
        listed = await _answered(
            self._api.room.list_rooms(ListRoomsRequest(names=sorted(room_names)))
        )
        return frozenset(room.name for room in listed.rooms)

    async def participants(self, room_name: str) -> Sequence[RoomParticipant]:
        try:
            listed = await _answered(
                self._api.room.list_participants(ListParticipantsRequest(room=room_name))
            )
        except LookupError:  # a single server answers with an empty list instead
            return []
        return [_participant(one) for one in listed.participants]

    async def ping(self) -> None:
        await _answered(self._api.room.list_rooms(ListRoomsRequest(names=["lkps-ping"])))

    async def close(self) -> None:
        await self._session.close()


async def _answered[T](call: Awaitable[T]) -> T:
    """Raise LookupError for what does not exist, LiveKitUnavailable for every other failure."""
    try:
        async with asyncio.timeout(CALL_SECONDS):  # livekit-api overrides the session's own
            return await call
    except ServerError as error:
        if error.code == _NOT_FOUND:
            raise LookupError from error
        raise LiveKitUnavailable(reason=f"LiveKit answered {error.code}") from error
    except TimeoutError as error:
        raise LiveKitUnavailable(reason="LiveKit did not answer in time") from error
    # The library meets the last two when the answer is not LiveKit's.
    except (aiohttp.ClientError, DecodeError, AttributeError) as error:
        raise LiveKitUnavailable(reason=f"LiveKit: {type(error).__name__}") from error


def _participant(info: ParticipantInfo) -> RoomParticipant:
    return RoomParticipant(
        identity=info.identity,
        is_agent=info.kind == ParticipantInfo.Kind.AGENT,
        agent_name=info.attributes.get(_AGENT_NAME, ""),
    )
