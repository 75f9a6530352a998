"""A checkpoint is the one of c2sp.org/tlog-checkpoint, byte by byte, and has one spelling."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from lkps_trail.checkpoint import Checkpoint, instant, signed_checkpoint
from lkps_trail.merkle import Frontier
from lkps_trail.notes import NoteInvalid
from tests.trail.parts.keys import ORIGIN, Signer, verify

ROOT = hashlib.sha256(b"root").digest()
AT = datetime(2026, 11, 24, 9, 5, 0, 250, tzinfo=UTC)
CHECKPOINT = Checkpoint(ORIGIN, 20852163, ROOT, 20852000, AT)
TEXT = CHECKPOINT.text


def test_a_checkpoint_is_its_origin_its_size_its_root_and_its_time() -> None:
    lines = [
        ORIGIN,
        "20852163",
        base64.b64encode(ROOT).decode(),
        "since 20852000",
        "time 2026-11-24T09:05:00.000250Z",
    ]
    assert "".join(f"{line}\n" for line in lines) == TEXT
    assert Checkpoint.parse(TEXT) == CHECKPOINT


def test_a_moment_is_spelled_in_utc_with_microseconds() -> None:
    at = datetime(2026, 11, 24, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert instant(at) == "2026-11-23T23:00:00.000000Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "\n",
        TEXT + "another extension\n",
        TEXT.replace(ORIGIN, ""),
        TEXT.replace(ORIGIN, "an origin"),
        TEXT.replace(ORIGIN, "an+origin"),
        TEXT.replace("20852163", ""),
        TEXT.replace("20852163", "020852163"),
        TEXT.replace("20852163", "-1"),
        TEXT.replace("20852163", "1" * 20),
        TEXT.replace("20852163", "٣"),
        TEXT.replace(base64.b64encode(ROOT).decode(), base64.b64encode(ROOT[:-1]).decode()),
        TEXT.replace(base64.b64encode(ROOT).decode(), base64.b64encode(ROOT).decode()[:-2] + "1="),
        TEXT.replace(base64.b64encode(ROOT).decode(), "=" * 43 + "="),
        TEXT.replace("since ", ""),
        TEXT.replace("since 2", "since 02"),
        TEXT.replace("since 20852000\n", ""),
        TEXT.replace("time ", ""),
        TEXT.replace("time ", "time  "),
        TEXT.replace("09:05", "25:05"),
        TEXT.replace("2026-11-24T09:05:00.000250Z", "2026-11-24T09:05:00Z"),
        TEXT.replace("2026-11-24T09:05:00.000250Z", "2026-11-24T09:5:00.0002500Z"),
        TEXT.replace("\n", "\r\n"),
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(NoteInvalid):
        Checkpoint.parse(text)


def test_a_checkpoint_covers_the_tree_with_its_size_and_its_root() -> None:
    one, two = Frontier().extended([ROOT]), Frontier().extended([ROOT, ROOT])

    checkpoint = replace(CHECKPOINT, size=1, root=one.root)

    assert checkpoint.covers(one)
    assert not checkpoint.covers(two)
    assert not replace(checkpoint, size=2).covers(one)
    assert not replace(checkpoint, root=two.root).covers(one)


def test_a_signed_checkpoint_is_read_with_its_key() -> None:
    signer = Signer(1)
    assert signed_checkpoint(signer.note(TEXT), signer.key, verify) == CHECKPOINT


@pytest.mark.parametrize(
    "text", [TEXT.replace("eu-1", "us-1"), "not a checkpoint\n"], ids=["another log", "none"]
)
def test_what_the_key_signed_for_another_log_or_purpose_is_refused(text: str) -> None:
    signer = Signer(1)
    with pytest.raises(NoteInvalid):
        signed_checkpoint(signer.note(text), signer.key, verify)
