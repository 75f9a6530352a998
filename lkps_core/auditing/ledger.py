"""The checkpoints that there are, each with the batch of rows that it covers."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lkps_core.auditing.reading import Positions
from lkps_core.errors import StorageUnavailable
from lkps_core.ports import CheckpointSigner, CheckpointStore
from lkps_trail.batch import Batch, BatchInvalid, parsed
from lkps_trail.checkpoint import Checkpoint
from lkps_trail.notes import NoteKey, note, text_of


@dataclass(frozen=True, slots=True)
class Covered:
    """`positions` say of every stream that may still grow how far it is covered."""

    batch: Batch
    positions: Positions

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.parse(text_of(self.batch.note))

    def as_bytes(self) -> bytes:
        members: dict[str, Any] = {
            "batch": self.batch.as_json(),
            "positions": dict(self.positions),
        }
        return json.dumps(members, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, blob: bytes) -> "Covered":
        """BatchInvalid when it is none."""
        members = parsed(blob)
        positions = members.get("positions")
        if not isinstance(positions, dict):
            raise BatchInvalid("no positions")
        return cls(Batch.from_json(members.get("batch")), positions)


class Ledger:
    """`origin` is the trail's name, in every checkpoint and in the key's name."""

    def __init__(self, store: CheckpointStore, signer: CheckpointSigner, origin: str) -> None:
        self._store = store
        self._signer = signer
        self.origin = origin
        self._known = 0

    async def key(self) -> NoteKey:
        return NoteKey(self.origin, await self._signer.public_key())

    async def signed(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a note."""
        text = checkpoint.text
        return note(text, await self.key(), await self._signer.sign(text.encode()))

    async def last_number(self) -> int:
        self._known = await self._store.last(self._known)
        return self._known

    async def last(self) -> Covered | None:
        number = await self.last_number()
        return await self.get(number) if number else None

    async def get(self, number: int) -> Covered:
        """Of a number that was given: LookupError for others."""
        blob = await self._store.get(number)
        if blob is None:
            raise LookupError(number)
        try:
            return Covered.parse(blob)
        except BatchInvalid as error:
            raise StorageUnavailable(reason="a checkpoint cannot be read") from error

    async def add(self, covered: Covered) -> None:
        """AlreadyThere when another run made one with this number."""
        await self._store.add(covered.batch.number, covered.as_bytes())

    async def first_since(self, at: datetime) -> int:
        """The first checkpoint that was made then or later; one beyond the last when none was."""
        low, high = 1, await self.last_number() + 1
        while low < high:
            middle = (low + high) // 2
            if (await self.get(middle)).checkpoint.at < at:
                low = middle + 1
            else:
                high = middle
        return low
