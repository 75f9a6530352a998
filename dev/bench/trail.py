"""The audit trail: rows verified in a second, and the first page of each question of an auditor."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from statistics import median
from time import perf_counter

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dev.platform import Platform
from lkps.cli.signatures import verify_signature
from lkps_core.adapters.tables import TableIndex, TablesAccount, TableTrailRows
from lkps_core.auditing.index import entries_of
from lkps_trail import export
from lkps_trail.batch import Batch, Segment
from lkps_trail.canonical import canonical
from lkps_trail.checkpoint import Checkpoint
from lkps_trail.merkle import Frontier, leaf_hash
from lkps_trail.notes import NoteKey, note
from lkps_trail.verifying import verify_export

ROWS = 100_000
"""Of the export that is verified."""

INDEXED = 2_000
"""Rows in the tables that questions are asked of: Azurite looks for a place in the whole table."""

_OF_A_CHECKPOINT = 4096
_TRANSACTION = 100
_REPEATS = 5
_BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
_AGENT, _APPLICATION = "archivist", str(uuid.UUID(int=7))


@dataclass(frozen=True, slots=True)
class Trails:
    """`questions` has the median seconds until the first page of each."""

    verified_a_second: float
    questions: Mapping[str, float]


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


async def first_pages(platform: Platform) -> dict[str, float]:
    """With INDEXED rows in the tables."""
    await _fill(platform)
    headers = {"Authorization": f"Bearer {await platform.access_token('auditor')}"}
    async with aiohttp.ClientSession(f"{platform.lkps_url}/api/", headers=headers) as lkps:
        return {name: await _seconds(lkps, query) for name, query in _QUESTIONS.items()}


_QUESTIONS = {
    "of a session": {"session_id": f"{_AGENT}--{'a' * 26}"},
    "sessions of an agent in March": {
        "agent_name": _AGENT,
        "action": "session.*",
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-04-01T00:00:00Z",
    },
    "of an application on a day": {
        "client_app_id": _APPLICATION,
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-03-02T00:00:00Z",
    },
    "changed grants of an agent": {"agent_name": _AGENT, "action": "grant.*"},
    "refusals of the last hour": {
        "outcome": "refused",
        "from": f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    },
}


async def _seconds(lkps: aiohttp.ClientSession, query: Mapping[str, str]) -> float:
    async def once() -> float:
        began = perf_counter()
        async with lkps.get("audit", params=query, raise_for_status=True) as response:
            await response.read()
        return perf_counter() - began

    return median([await once() for _ in range(_REPEATS)])


async def _fill(platform: Platform) -> None:
    connection = platform.settings["LKPS_TABLES_CONNECTION_STRING"]
    account = TablesAccount.from_connection_string(connection)
    trail, index = TableTrailRows(account), TableIndex(account)
    try:
        await trail.announce(_STREAM)
        first = 0
        for some in batched(_rows(INDEXED), _TRANSACTION, strict=False):
            await trail.append(_STREAM, first, some)
            await index.put([entry for row in some for entry in entries_of(row)])
            first += len(some)
    finally:
        await account.close()


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
