"""A receipt: that one row is under a signed checkpoint, to be verified offline."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lkps_trail.batch import text, whole
from lkps_trail.checkpoint import Checkpoint, signed_checkpoint
from lkps_trail.meaning import Meaning
from lkps_trail.merkle import leaf_hash, root_by_proof
from lkps_trail.notes import NoteInvalid, NoteKey, VerifySignature


class ReceiptInvalid(Exception):  # noqa: N818
    """The receipt does not prove that the row was recorded; the text says why."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Where the row is in the tree, the path to its root, and who signed that."""

    place: int
    path: tuple[bytes, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """`row` is the row's bytes as text. Without a proof no checkpoint covers it yet."""

    stream: str
    number: int
    row: str
    proof: Proof | None

    @property
    def row_hash(self) -> bytes:
        return leaf_hash(self.row.encode())

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> "Receipt":
        """ReceiptInvalid when they are not a receipt's."""
        try:
            proof = members.get("proof")
            receipt = cls(
                text(members["stream"]),
                whole(members["number"]),
                text(members["row"]),
                None if proof is None else _proof(proof),
            )
            is_the_row = base64.b64decode(members["row_hash"], validate=True) == receipt.row_hash
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ReceiptInvalid("not a receipt") from error
        if not is_the_row:
            raise ReceiptInvalid("the row is not the one with the stated hash")
        return receipt


def _proof(members: Mapping[str, Any]) -> Proof:
    path = tuple(base64.b64decode(one, validate=True) for one in members["path"])
    return Proof(whole(members["place"]), path, text(members["checkpoint"]))


def verify_receipt(receipt: Receipt, key: NoteKey, verify: VerifySignature) -> Checkpoint:
    """The checkpoint that covers the row; ReceiptInvalid when none does."""
    if receipt.proof is None:
        raise ReceiptInvalid("no checkpoint covers the row yet: ask for the receipt again later")
    fault = Meaning().fault(receipt.stream, receipt.number, receipt.row.encode())
    if fault is not None:
        raise ReceiptInvalid(f"the row {fault}")
    try:
        checkpoint = signed_checkpoint(receipt.proof.note, key, verify)
        root = root_by_proof(
            receipt.row_hash, receipt.proof.place, checkpoint.size, receipt.proof.path
        )
    except (NoteInvalid, ValueError) as error:
        raise ReceiptInvalid(str(error)) from error
    if root != checkpoint.root:
        raise ReceiptInvalid("the row is not under the checkpoint's root")
    return checkpoint
