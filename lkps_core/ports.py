"""What the core needs from outside, as Protocols, and the few words they share."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

type Clock = Callable[[], datetime]
"""The present moment, aware, in UTC."""

type Randomness = Callable[[int], bytes]
"""So many unguessable bytes."""


class AlreadyThere(Exception):  # noqa: N818  an answer of the store, not a defect
    """A row with that key exists."""


class Changed(Exception):  # noqa: N818
    """The row is gone, or no longer the one that was read."""


class Row(Protocol):
    """What a table can hold: a value that knows its place."""

    @property
    def partition(self) -> str: ...

    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Stored[T]:
    """A row as it was read; `etag` changes whenever it is written."""

    row: T
    etag: str


class Rows[T: Row](Protocol):
    """One table. Every method raises StorageUnavailable when the outcome is unknown or none."""

    async def get(self, partition: str, key: str) -> Stored[T] | None: ...

    async def add(self, row: T) -> str:
        """Insert and return the ETag; AlreadyThere when another row has the key.

        Sending the very same row twice, as a retry does, is one insertion and no conflict.
        """
        ...

    async def replace(self, row: T, etag: str) -> str:
        """Write over the row that was read with this ETag, else Changed; returns the new one.

        Sending the very same row twice, as a retry does, is one change and no conflict.
        """
        ...

    async def page(
        self, partition: str, *, after: str = "", before: str = "", most: int = 1000
    ) -> Sequence[Stored[T]]:
        """The partition's first `most` rows whose keys come after `after` and before `before`.

        Keys compare by code point; an empty `before` is no bound. Fewer than `most`: no more.
        """
        ...

    async def remove(self, row: T, etag: str) -> None:
        """Delete the row that was read with this ETag, else Changed; one that is gone is gone."""
        ...


class TrailRows(Protocol):
    """Where the streams' rows are durable. Every method raises StorageUnavailable."""

    async def announce(self, stream: str) -> None:
        """Make it durable that the stream, `{day}_{id}`, exists; to repeat it is harmless."""
        ...

    async def append(self, stream: str, first: int, rows: Sequence[bytes]) -> None:
        """Make the canonical rows durable under the numbers `first`, `first + 1`, …

        Returns only when all are durable; repeating a call with the same bytes is harmless.
        Raises StorageUnavailable when that is not certain.
        """
        ...

    async def streams(self, day: str) -> Sequence[str]:
        """The streams announced on that day, sorted."""
        ...

    async def page(
        self, stream: str, first: int = 0, most: int = 1000
    ) -> Sequence[tuple[int, bytes]]:
        """The stream's first `most` rows from the number `first` on, each with its number.

        Fewer than `most`: no more.
        """
        ...

    async def next_day(self, after: str = "") -> str | None:
        """The first day after that one which has streams."""
        ...

    async def remove(self, stream: str) -> None:
        """Delete the stream's rows, then what announced it; one that is gone is gone."""
        ...


class CheckpointStore(Protocol):
    """An append-only container of blobs, numbered from 1 without gaps.

    Every method raises StorageUnavailable when the outcome is unknown or none.
    """

    async def add(self, number: int, blob: bytes) -> None:
        """Write it once; AlreadyThere when another blob has the number, unless it is this one."""
        ...

    async def get(self, number: int) -> bytes | None: ...

    async def last(self, at_least: int = 0) -> int:
        """The largest number, 0 when there is none. One that is known to be there speeds it up."""
        ...


class CheckpointSigner(Protocol):
    """An ECDSA P-256 key that never leaves its place. Raises SigningUnavailable."""

    async def public_key(self) -> bytes:
        """As a SubjectPublicKeyInfo, in DER (RFC 5480)."""
        ...

    async def sign(self, text: bytes) -> bytes:
        """The signature of the text's SHA-256 as ASN.1 DER (RFC 3279, section 2.2.3)."""
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """A room to be made, with its agent's dispatch inside. Times are in seconds."""

    name: str
    empty_timeout: int
    agent_name: str
    deployment: str = field(repr=False)
    agent_metadata: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RoomParticipant:
    """Agents, hidden ones included, are all that are not people."""

    identity: str
    is_agent: bool
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class RoomView:
    """Who is in a room that stands."""

    participants: tuple[RoomParticipant, ...] = ()

    @property
    def people(self) -> Sequence[RoomParticipant]:
        return [one for one in self.participants if not one.is_agent]

    @property
    def agents(self) -> Sequence[RoomParticipant]:
        return [one for one in self.participants if one.is_agent]


@dataclass(frozen=True, slots=True)
class StandingRoom:
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Which agent is to come into a room that stands."""

    room_name: str
    agent_name: str
    deployment: str = field(repr=False)


type RoomNews = Literal["joined", "left", "vanished", "finished"]


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """What LiveKit tells of a room: who came or went, or that it is over.

    `vanished` is said of one whose connection was cut off. `identity` is empty of a room.
    """

    news: RoomNews
    room_name: str
    at: datetime
    identity: str = ""
    is_agent: bool = False


class Events(Protocol):
    """What LiveKit signs and sends."""

    def read(self, body: bytes, authorization: str | None, now: datetime) -> RoomEvent | None:
        """None for what concerns no session. Raises EventNotSigned."""
        ...


class Rooms(Protocol):
    """LiveKit's rooms. Every method raises LiveKitUnavailable when LiveKit does not answer."""

    async def create(self, room: Room) -> None:
        """Make the room and dispatch its agent; one that exists already is left as it is."""
        ...

    async def delete(self, room_name: str) -> None:
        """End the room for everyone in it; one that does not exist is a success."""
        ...

    async def reroute(self, room: Room) -> bool:
        """See to it that a standing room has one agent; whether it was dispatched anew.

        LiveKit never tries a dispatch again that no worker took, and for some seconds after workers
        came or went it does not tell who took one: so two may come, of whom the first one stays.
        """
        ...

    async def standing(self, room_names: Collection[str]) -> frozenset[str]:
        """Those of the rooms that there are."""
        ...

    async def all_standing(self) -> Sequence[StandingRoom]:
        """Every room that there is, those of other installations included."""
        ...

    async def look(self, room_name: str) -> RoomView | None:
        """The room as it is now; None when there is none."""
        ...

    async def jobs(self, room_name: str) -> frozenset[str]:
        """The identities of the jobs that workers took of the room's dispatches.

        Of a room that was seen standing: of one that is none LiveKit never answers.
        """
        ...

    async def remove(self, room_name: str, identity: str) -> None:
        """Take the participant out of the room; one that is gone is a success."""
        ...

    async def dispatch_anew(self, dispatch: Dispatch) -> bool:
        """Take out all agents and their jobs, and dispatch another, with the same metadata.

        Of a room that was seen standing; False when it went meanwhile.
        """
        ...

    async def makes_what_is_joined(self, room_name: str) -> bool:
        """Whether LiveKit would make this room, which is none, for somebody who joins it."""
        ...

    async def ping(self) -> None:
        """Learn whether LiveKit answers and takes our key."""
        ...


type Probe = Callable[[], Awaitable[None]]
"""Returns when a dependency answers; raises a Refusal when it does not."""

type Environment = Mapping[str, str]
