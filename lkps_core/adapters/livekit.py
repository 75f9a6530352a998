"""The Rooms port over LiveKit's server API."""

import asyncio
import re
from collections.abc import Awaitable, Collection, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

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
from lkps_core.ports import Dispatch, Room, RoomParticipant, RoomView, StandingRoom
from lkps_core.tokens import TokenMint

CALL_SECONDS = 2.0

_NOT_FOUND = "not_found"
_LONGEST = 1000


class LiveKitRooms:
    """The client lives as long as the process; it must be made inside the event loop."""

    def __init__(self, url: str, api_key: str, api_secret: str) -> None:
        self._session = aiohttp.ClientSession()
        self._api = LiveKitAPI(url, api_key, api_secret, session=self._session, failover=False)
        self._validate_url = re.sub("^ws", "http", url.rstrip("/")) + "/rtc/validate"
        self._mint = TokenMint(api_key, api_secret)

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
        names = ListRoomsRequest(names=sorted(room_names))
        listed = await _answered(self._api.room.list_rooms(names))
        return frozenset(room.name for room in listed.rooms)

    async def all_standing(self) -> Sequence[StandingRoom]:
        listed = await _answered(self._api.room.list_rooms(ListRoomsRequest()))
        return [
            StandingRoom(one.name, _instant(one.creation_time_ms or 1000 * one.creation_time))
            for one in listed.rooms
        ]

    async def look(self, room_name: str) -> RoomView | None:
        participants = await self._participants(room_name)
        if not participants and room_name not in await self.standing([room_name]):
            return None  # of a room that is none, a single server lists nobody
        return RoomView(tuple(map(_participant, participants)))

    async def jobs(self, room_name: str) -> frozenset[str]:
        try:
            dispatches = await _answered(self._api.agent_dispatch.list_dispatch(room_name))
        except LookupError:
            return frozenset()
        jobs = (job for dispatch in dispatches for job in dispatch.state.jobs)
        return frozenset(job.state.participant_identity for job in jobs)

    async def remove(self, room_name: str, identity: str) -> None:
        who = RoomParticipantIdentity(room=room_name, identity=identity)
        try:
            await _answered(self._api.room.remove_participant(who))
        except LookupError:
            return

    async def dispatch_anew(self, dispatch: Dispatch) -> bool:
        """The new one is there before the old ones, which keep the metadata, are deleted.

        Deleting a dispatch ends the jobs that a worker took of it, however late.
        """
        room = dispatch.room_name
        try:
            former = await _answered(self._api.agent_dispatch.list_dispatch(room))
            for one in await self._participants(room):
                if one.kind == ParticipantInfo.Kind.AGENT:
                    await self.remove(room, one.identity)
            await _answered(
                self._api.agent_dispatch.create_dispatch(
                    CreateAgentDispatchRequest(
                        room=room,
                        agent_name=dispatch.agent_name,
                        deployment=dispatch.deployment,
                        metadata=former[0].metadata if former else "",
                    )
                )
            )
        except LookupError:
            return False
        for old in former:
            await self._delete_dispatch(old.id, room)
        return True

    async def _delete_dispatch(self, dispatch_id: str, room_name: str) -> None:
        try:
            await _answered(self._api.agent_dispatch.delete_dispatch(dispatch_id, room_name))
        except LookupError:
            return

    async def _participants(self, room_name: str) -> Sequence[ParticipantInfo]:
        try:
            listed = await _answered(
                self._api.room.list_participants(ListParticipantsRequest(room=room_name))
            )
        except LookupError:
            return []
        return listed.participants

    async def _keep_one_agent(self, room_name: str) -> bool:
        """Remove all agents but the one that came first; whether there is one."""
        listed = await self._participants(room_name)
        agents = [one for one in listed if one.kind == ParticipantInfo.Kind.AGENT]
        for agent in sorted(agents, key=lambda one: one.joined_at_ms)[1:]:
            await self.remove(room_name, agent.identity)
        return bool(agents)

    async def makes_what_is_joined(self, room_name: str) -> bool:
        """Asks as clients do before they join, which makes no room. The token stays here."""
        token = self._mint.participant_token(
            room_name, "lkps-check", datetime.now(UTC), 60, name="", metadata="", attributes={}
        )
        status, said = await _answered(self._validated(token.text))
        if status == HTTPStatus.OK and said == "success":
            return True
        if status == HTTPStatus.NOT_FOUND and "room does not exist" in said:
            return False
        raise LiveKitUnavailable(reason=f"LiveKit answered {status}")

    async def _validated(self, token: str) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.get(self._validate_url, headers=headers) as response:
            return response.status, (await response.content.read(_LONGEST)).decode(errors="replace")

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
        joined_at=_instant(info.joined_at_ms or 1000 * info.joined_at),
    )


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
