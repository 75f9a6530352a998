"""Rows of an export of the trail that are verified in a second."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lkps.cli.signatures import verify_signature
from lkps_trail import export
from lkps_trail.batch import Batch, Segment
from lkps_trail.canonical import canonical
from lkps_trail.checkpoint import Checkpoint
from lkps_trail.merkle import Frontier, leaf_hash
from lkps_trail.notes import NoteKey, note
from lkps_trail.verifying import verify_export

ROWS = 100_000
"""Of the export that is verified."""

_OF_A_CHECKPOINT = 4096
_BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
_AGENT, _APPLICATION = "archivist", str(uuid.UUID(int=7))


def verified_a_second() -> float:
    """Rows of an export that are hashed and held against the signed checkpoints, on one core."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    note_key = NoteKey("bench.example/trail", public)
    lines = [export.header(note_key.name, note_key.text, ("", ""))]
    tree, first = Frontier(), 0
    for number, some in enumerate(batched(_rows(ROWS), _OF_A_CHECKPOINT, strict=False), 1):
        leaves = tuple(map(leaf_hash, some))
        after = tree.extended(leaves)
        checkpoint = Checkpoint(note_key.name, after.size, after.root, tree.size, _BEGIN)
        signature = key.sign(checkpoint.text.encode(), ec.ECDSA(SHA256()))
        segments = (Segment(_STREAM, first, len(some)),)
        signed = note(checkpoint.text, note_key, signature)
        lines += export.batch_lines(Batch(number, signed, tree, segments, leaves), some)
        tree, first = after, first + len(some)
    lines += export.uncovered_lines([], [])
    lines.append(export.end(batches=number, rows=ROWS, uncovered=0))
    file = [line.encode() for line in lines]
    began = perf_counter()
    result = verify_export(file, note_key, verify_signature, meaning=False)
    seconds = perf_counter() - began
    assert (result.findings, result.rows) == ([], ROWS)
    return ROWS / seconds


_STREAM = f"{_BEGIN:%Y-%m-%d}_bench"


def _rows(many: int) -> Iterator[bytes]:
    step = timedelta(days=30) / many
    for number in range(many):
        at = f"{_BEGIN + number * step:%Y-%m-%dT%H:%M:%S.%fZ}"
        row = _ROW | {"number": number, "at": at, "request_id": str(uuid.UUID(int=number))}
        yield canonical(row | {"session_id": f"{_AGENT}--{number:026d}"})


_ROW: dict[str, object] = {
    "schema": 1,
    "stream": _STREAM,
    "application": "0.1.0",
    "action": "session.authorized",
    "outcome": "success",
    "operation": "session_start",
    "kind": "app",
    "tid": str(uuid.UUID(int=1)),
    "oid": str(uuid.UUID(int=2)),
    "azp": _APPLICATION,
    "uti": "bench",
    "agent_name": _AGENT,
    "room_name": f"bench--{_AGENT}--{'a' * 26}",
    "participant_identity": "lkps-app-bench",
    "token_sha256": "0" * 64,
    "token_expires_at": "2026-03-01T00:05:00.000000Z",
    "rule": "granted",
}
