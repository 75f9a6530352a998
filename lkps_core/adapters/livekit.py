"""The Rooms port over LiveKit's server API."""

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from typing import Final

import aiohttp
from google.protobuf.message import DecodeError
from livekit.api import LiveKitAPI, ServerError
from livekit.protocol.agent_dispatch import CreateAgentDispatchRequest, RoomAgentDispatch
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    ListParticipantsRequest,
    ListRoomsRequest,
    RoomParticipantIdentity,
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

    async def reroute(self, room: Room) -> bool:
        if room.name not in await self.standing([room.name]):
            return False  # asked of a room that is none, ListDispatch never answers
        try:
            if await self._keep_one_agent(room.name):
                return False
            dispatches = await _answered(self._api.agent_dispatch.list_dispatch(room.name))
            if any(dispatch.state.jobs for dispatch in dispatches):
                return False
            await _answered(
                self._api.agent_dispatch.create_dispatch(
                    CreateAgentDispatchRequest(
                        room=room.name,
                        agent_name=room.agent_name,
                        deployment=room.deployment,
                        metadata=room.agent_metadata,
                    )
                )
            )
        except LookupError:  # it went in this moment
            return False
        return True

    async def standing(self, room_names: Collection[str]) -> frozenset[str]:
        if not room_names:  # to LiveKit, no names are all rooms
            return frozenset()
        return await self._listed(ListRoomsRequest(names=sorted(room_names)))

    async def all_standing(self) -> frozenset[str]:
        return await self._listed(ListRoomsRequest())

    async def participants(self, room_name: str) -> Sequence[RoomParticipant]:
        try:
            listed = await _answered(
                self._api.room.list_participants(ListParticipantsRequest(room=room_name))
            )
        except LookupError:  # a single server answers with an empty list instead
            return []
        return [_participant(one) for one in listed.participants]

    async def _listed(self, request: ListRoomsRequest) -> frozenset[str]:
        listed = await _answered(self._api.room.list_rooms(request))
        return frozenset(room.name for room in listed.rooms)

    async def _keep_one_agent(self, room_name: str) -> bool:
        """Remove all agents but the one that came first; whether there is one."""
        listed = await _answered(
            self._api.room.list_participants(ListParticipantsRequest(room=room_name))
        )
        agents = [one for one in listed.participants if one.kind == ParticipantInfo.Kind.AGENT]
        for agent in sorted(agents, key=lambda one: one.joined_at_ms)[1:]:
            identity = RoomParticipantIdentity(room=room_name, identity=agent.identity)
            await _answered(self._api.room.remove_participant(identity))
        return bool(agents)

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
