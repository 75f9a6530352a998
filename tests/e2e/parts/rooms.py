"""LiveKit as its owner sees it, through the server API and the owner's key."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from livekit.api import LiveKitAPI
from livekit.protocol.agent import Job
from livekit.protocol.agent_dispatch import AgentDispatch
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import DeleteRoomRequest, ListParticipantsRequest, ListRoomsRequest

from dev.platform import Platform


class Rooms:
    def __init__(self, api: LiveKitAPI) -> None:
        self._api = api

    async def names(self) -> set[str]:
        return {room.name for room in (await self._api.room.list_rooms(ListRoomsRequest())).rooms}

    async def of_agent(self, agent_name: str) -> set[str]:
        """Rooms of the agent's sessions: a room's name carries the session's id."""
        return {name for name in await self.names() if f"--{agent_name}--" in name}

    async def delete(self, room: str) -> None:
        await self._api.room.delete_room(DeleteRoomRequest(room=room))

    async def participants(self, room: str) -> Sequence[ParticipantInfo]:
        listed = await self._api.room.list_participants(ListParticipantsRequest(room=room))
        return list(listed.participants)

    async def agents(self, room: str) -> Sequence[ParticipantInfo]:
        """Hidden ones included."""
        there = await self.participants(room)
        return [one for one in there if one.kind == ParticipantInfo.Kind.AGENT]

    async def dispatches(self, room: str) -> Sequence[AgentDispatch]:
        return list(await self._api.agent_dispatch.list_dispatch(room))

    async def jobs(self, room: str) -> Sequence[Job]:
        return [job for dispatch in await self.dispatches(room) for job in dispatch.state.jobs]


@asynccontextmanager
async def looking(platform: Platform) -> AsyncIterator[Rooms]:
    key = platform.livekit.api_key
    async with LiveKitAPI(platform.livekit_url, key.key, key.secret) as api:
        yield Rooms(api)
