"""A job in memory: its room, who joins it, and its end, as livekit-agents would tell them."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from livekit import rtc
from livekit.agents import JobContext

PERSON = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD


@dataclass(frozen=True)
class MemoryParticipant:
    attributes: dict[str, str]
    kind: rtc.ParticipantKind.ValueType = PERSON
    identity: str = "someone"

    @property
    def remote(self) -> rtc.RemoteParticipant:
        return cast("rtc.RemoteParticipant", self)


@dataclass
class MemoryRoom:
    remote_participants: dict[str, MemoryParticipant] = field(default_factory=dict)
    listeners: defaultdict[str, list[Callable[[int], None]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def on(self, event: str, listener: Callable[[int], None]) -> None:
        assert event in ("connection_state_changed", "disconnected")
        self.listeners[event].append(listener)

    def tell(self, event: str, value: int) -> None:
        for listener in self.listeners[event]:
            listener(value)


class MemoryJob:
    """`context` is what an entrypoint is called with."""

    def __init__(self, room_name: str = "tests--concierge--abc") -> None:
        room = SimpleNamespace(name=room_name)
        self.job = SimpleNamespace(
            id="AJ_1", agent_name="concierge", room=room, deployment="the-routing-secret"
        )
        self.room = MemoryRoom()
        self._entrypoints: list[tuple[Callable[..., Awaitable[None]], int]] = []
        self._shutdown_callbacks: list[Callable[[str], Awaitable[None]]] = []

    @property
    def context(self) -> JobContext:
        return cast("JobContext", self)

    def add_participant_entrypoint(
        self, entrypoint: Callable[..., Awaitable[None]], *, kind: int
    ) -> None:
        self._entrypoints.append((entrypoint, kind))

    def add_shutdown_callback(self, callback: Callable[[str], Awaitable[None]]) -> None:
        self._shutdown_callbacks.append(callback)

    async def join(self, participant: MemoryParticipant) -> None:
        self.room.remote_participants[participant.identity] = participant
        for entrypoint, kind in self._entrypoints:
            if kind == participant.kind:
                await entrypoint(self, participant)

    def lose_room(
        self, reason: rtc.DisconnectReason.ValueType = rtc.DisconnectReason.ROOM_CLOSED
    ) -> None:
        self.lose_connection()
        self.room.tell("disconnected", reason)

    def lose_connection(self) -> None:
        """A moment before it is known why."""
        self.room.tell("connection_state_changed", rtc.ConnectionState.CONN_DISCONNECTED)

    async def shut_down(self, reason: str = "all is said") -> None:
        await asyncio.gather(*[callback(reason) for callback in self._shutdown_callbacks])
