"""A receipt proves that its row is under a checkpoint, and nothing else passes for one."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lkps_trail.checkpoint import Checkpoint
from lkps_trail.merkle import inclusion_proof, leaf_hash
from lkps_trail.receipt import Proof, Receipt, ReceiptInvalid, verify_receipt
from tests.trail.parts.keys import Signer, verify
from tests.trail.parts.receipts import receipt_json
from tests.trail.parts.trails import A, B, Trail, row, small_trail

SIGNER = Signer(1)
TRAIL = small_trail(SIGNER)
MEMBERS = receipt_json(TRAIL, B, 5)


def changed(**members: object) -> dict[str, Any]:
    return {**MEMBERS, **members}


def proof(**members: object) -> dict[str, Any]:
    return changed(proof={**MEMBERS["proof"], **members})


def rowed(stated: bytes, **members: object) -> dict[str, Any]:
    """With another row, and the hash that belongs to it."""
    row_hash = base64.b64encode(leaf_hash(stated)).decode()
    return changed(row=stated.decode(), row_hash=row_hash, **members)


def verified(members: Mapping[str, Any]) -> Checkpoint:
    return verify_receipt(Receipt.from_json(members), SIGNER.key, verify)


def test_a_receipt_leads_to_the_checkpoint_above_its_row() -> None:
    batch, _ = TRAIL.covered[2]
    assert verified(MEMBERS).covers(batch.after)


def test_every_covered_row_has_a_receipt() -> None:
    for batch, _ in TRAIL.covered:
        for stream, number in batch.places():
            assert verified(receipt_json(TRAIL, stream, number)).size == batch.after.size


def test_a_row_that_no_checkpoint_covers_yet_is_told_apart() -> None:
    with pytest.raises(ReceiptInvalid, match="no checkpoint covers the row yet"):
        verified({name: value for name, value in MEMBERS.items() if name != "proof"})


@pytest.mark.parametrize(
    "members",
    [
        {},
        *({k: v for k, v in MEMBERS.items() if k != name} for name in ("stream", "number", "row")),
        changed(stream=None),
        changed(number="5"),
        changed(number=5.5),
        changed(number=float("inf")),
        changed(number=-1),
        changed(row=None),
        changed(row="\ud800"),
        changed(row_hash=None),
        changed(row_hash="é"),
        changed(proof=""),
        changed(proof=0),
        changed(proof=[]),
        changed(proof={}),
        proof(place="3"),
        proof(place=-1),
        proof(path=None),
        proof(path=["!"]),
        proof(path=[1]),
        proof(checkpoint=None),
        proof(checkpoint="\ud800"),
    ],
)
def test_what_is_no_receipt_is_refused(members: Mapping[str, Any]) -> None:
    with pytest.raises(ReceiptInvalid, match="not a receipt"):
        Receipt.from_json(members)


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(ReceiptInvalid):
        Receipt.from_json([])  # type: ignore[arg-type]


def test_a_changed_row_is_not_the_one_with_the_hash() -> None:
    with pytest.raises(ReceiptInvalid, match="stated hash"):
        Receipt.from_json(changed(row=MEMBERS["row"].replace("refused", "success")))


OTHER = Signer(2)
NOTE = MEMBERS["proof"]["checkpoint"]
TEXT = NOTE.partition("\n\n")[0] + "\n"
PATH = MEMBERS["proof"]["path"]


@pytest.mark.parametrize(
    ("members", "what"),
    [
        (rowed(row(B, 5, outcome="failed")), "not under the checkpoint's root"),
        (rowed(row(B, 4)), "says that it is another row"),
        (changed(number=4), "says that it is another row"),
        (changed(stream=A), "says that it is another row"),
        (rowed(MEMBERS["row"].encode() + b" "), "not in its canonical form"),
        (rowed(b"no JSON"), "not JSON"),
        (proof(place=MEMBERS["proof"]["place"] + 1), "root|path"),
        (proof(place=10**6), "no such leaf"),
        (proof(path=PATH[:-1]), "too short"),
        (proof(path=[*PATH, PATH[0]]), "too long"),
        (proof(path=[PATH[1], PATH[0], *PATH[2:]]), "not under the checkpoint's root"),
        (proof(checkpoint=NOTE.replace("time 2026", "time 2025")), "not this key's"),
        (proof(checkpoint=OTHER.note(TEXT)), "not signed by this key"),
        (proof(checkpoint=SIGNER.note("another text\n")), "not a checkpoint"),
        (proof(checkpoint=SIGNER.note(TEXT.replace("eu-1", "us-1"))), "another log"),
        (proof(checkpoint=TRAIL.covered[3][0].note), "root|path"),
        (proof(checkpoint="no note"), "not a signed note"),
    ],
)
def test_what_does_not_lead_to_the_signed_root_is_refused(
    members: Mapping[str, Any], what: str
) -> None:
    with pytest.raises(ReceiptInvalid, match=what):
        verified(members)


def test_a_receipt_of_another_trail_is_refused_even_by_the_same_key() -> None:
    """The same rows in another order lead to another root."""
    other = Trail(SIGNER)
    other.checkpoint((B, 6), (A, 7))
    batch, _ = other.covered[0]
    path = tuple(inclusion_proof(batch.before, batch.leaves, 5))
    receipt = Receipt.from_json(MEMBERS)

    taken = replace(receipt, proof=Proof(5, path, NOTE))

    with pytest.raises(ReceiptInvalid):
        verify_receipt(taken, SIGNER.key, verify)
