"""The trail's ports in memory: rows, index, checkpoints and a key."""

from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lkps_core.auditing.index import Entry
from lkps_core.errors import SigningUnavailable, StorageUnavailable
from lkps_core.ports import AlreadyThere


class MemoryTrailRows:
    """`rows` has the trail's rows by stream and number, `announced` the streams that have any."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, bytes]] = {}
        self.announced: set[str] = set()
        self.down = False
        self.calls: list[int] = []

    async def announce(self, stream: str) -> None:
        self._answer()
        self.announced.add(stream)

    async def append(self, stream: str, first: int, rows: Sequence[bytes]) -> None:
        self.calls.append(len(rows))
        self._answer()
        written = self.rows.setdefault(stream, {})
        for number, row in enumerate(rows, first):
            if written.get(number, row) != row:
                raise StorageUnavailable(reason="the number is taken by another row")
            written[number] = row

    async def streams(self, day: str) -> Sequence[str]:
        self._answer()
        return sorted(stream for stream in self.announced if stream.startswith(f"{day}_"))

    async def page(
        self, stream: str, first: int = 0, most: int = 1000
    ) -> Sequence[tuple[int, bytes]]:
        self._answer()
        rows = sorted(self.rows.get(stream, {}).items())
        return [(number, row) for number, row in rows if number >= first][:most]

    async def next_day(self, after: str = "") -> str | None:
        self._answer()
        return min((one[:10] for one in self.announced if one[:10] > after), default=None)

    async def remove(self, stream: str) -> None:
        self._answer()
        self.rows.pop(stream, None)
        self.announced.discard(stream)

    def _answer(self) -> None:
        if self.down:
            raise StorageUnavailable(reason="the table is down")


class MemoryIndex:
    """`calls` has the partitions whose pages were asked for."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], Entry] = {}
        self.down = False
        self.calls: list[str] = []
        self.entries_read = 0

    async def put(self, entries: Sequence[Entry]) -> None:
        self._answer()
        self._entries.update({(entry.partition, entry.key): entry for entry in entries})

    async def page(self, partition: str, *, after: str, before: str, most: int) -> Sequence[Entry]:
        self._answer()
        self.calls.append(partition)
        found = [
            entry
            for (of, key), entry in sorted(self._entries.items())
            if of == partition and after < key < before
        ][:most]
        self.entries_read += len(found)
        return found

    async def remove(self, entries: Sequence[Entry]) -> None:
        self._answer()
        for entry in entries:
            self._entries.pop((entry.partition, entry.key), None)

    def lose_all(self) -> None:
        self._entries.clear()

    def _answer(self) -> None:
        if self.down:
            raise StorageUnavailable(reason="the table is down")


class MemoryCheckpoints:
    """Blobs by their number."""

    def __init__(self) -> None:
        self.blobs: dict[int, bytes] = {}
        self.down = False

    async def add(self, number: int, blob: bytes) -> None:
        self._answer()
        if self.blobs.setdefault(number, blob) != blob:
            raise AlreadyThere

    async def get(self, number: int) -> bytes | None:
        self._answer()
        return self.blobs.get(number)

    async def last(self, at_least: int = 0) -> int:
        self._answer()
        return max(self.blobs, default=0)

    def _answer(self) -> None:
        if self.down:
            raise StorageUnavailable(reason="the container is down")


class MemoryKey:
    """A real key, of this process."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self.down = False

    async def public_key(self) -> bytes:
        self._answer()
        return self._private.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )

    async def sign(self, text: bytes) -> bytes:
        self._answer()
        return self._private.sign(text, ec.ECDSA(hashes.SHA256()))

    def _answer(self) -> None:
        if self.down:
            raise SigningUnavailable(reason="the key is down")
