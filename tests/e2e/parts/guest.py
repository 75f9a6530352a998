"""A participant with the token that LKPS gave it: what it sees of the room, and what it tries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livekit import rtc

from dev.demo.caller import Caller


class Guest(Caller):
    """A caller whose room can be looked into; `replies` holds what came back, by topic."""

    def __init__(self) -> None:
        super().__init__()
        self.replies: dict[str, bytes] = {}
        self.room.on("data_received", self._remember)

    @property
    def left(self) -> asyncio.Event:
        return self.disconnected

    @property
    def me(self) -> rtc.LocalParticipant:
        return self.room.local_participant

    @property
    def agents(self) -> list[rtc.RemoteParticipant]:
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        return [one for one in self.room.remote_participants.values() if one.kind == kind]

    async def asks(self, topic: str, payload: bytes = b"?") -> bytes:
        """The reply of whoever answers; asked again until somebody does."""
        self.replies.pop(topic, None)
        async with asyncio.timeout(20):
            while topic not in self.replies:
                await self.me.publish_data(payload, topic=topic)
                await asyncio.sleep(0.1)
        return self.replies[topic]

    def _remember(self, packet: rtc.DataPacket) -> None:
        self.replies[packet.topic or ""] = packet.data


@asynccontextmanager
async def joined(url: str, token: str) -> AsyncIterator[Guest]:
    guest = Guest()
    try:
        await guest.join(url, token)
        yield guest
    finally:
        await guest.leave()
