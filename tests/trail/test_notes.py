"""A note is the one of c2sp.org/signed-note, byte by byte."""

import base64
import hashlib

import pytest

from lkps_trail.notes import NoteInvalid, NoteKey, note, opened, text_of
from tests.trail.parts.keys import ORIGIN, Signer, verify

SIGNER, OTHER = Signer(1), Signer(2)
TEXT = "a first line\n\na last line\n"
UNKNOWN = f"— someone.example {base64.b64encode(b'1234' + bytes(64)).decode()}\n"


def test_a_note_is_its_text_an_empty_line_and_a_line_for_the_signature() -> None:
    key_id = hashlib.sha256(SIGNER.key.public_key).digest()[:4]
    signature = base64.b64encode(key_id + b"the signature").decode()

    signed = note(TEXT, SIGNER.key, b"the signature")

    assert signed == f"{TEXT}\n\u2014 {ORIGIN} {signature}\n"


def test_a_key_is_told_by_its_name_its_id_and_its_type_and_bytes() -> None:
    key = SIGNER.key
    encoded = base64.b64encode(b"\x02" + key.public_key).decode()

    assert key.key_id == hashlib.sha256(key.public_key).digest()[:4]
    assert key.text == f"{ORIGIN}+{key.key_id.hex()}+{encoded}"
    assert NoteKey.parse(f" {key.text}\n") == key


KEY = SIGNER.key.text
ED25519 = base64.b64encode(b"\x01" + SIGNER.key.public_key).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ORIGIN,
        KEY.removeprefix(ORIGIN),
        KEY.replace("example", "an example"),
        KEY.replace(SIGNER.key.key_id.hex(), OTHER.key.key_id.hex()),
        KEY.replace(SIGNER.key.key_id.hex(), SIGNER.key.key_id.hex().upper()),
        KEY[:-5],
        KEY + "!",
        KEY + "AAAA",
        f"{ORIGIN}+{SIGNER.key.key_id.hex()}+{ED25519}",
        f"{ORIGIN}+{SIGNER.key.key_id.hex()}+",
        f"{ORIGIN}+{SIGNER.key.key_id.hex()}+é",
    ],
)
def test_what_is_no_checkpoint_key_is_refused(text: str) -> None:
    with pytest.raises(NoteInvalid):
        NoteKey.parse(text)


def test_a_signed_note_is_opened_by_its_key() -> None:
    assert opened(SIGNER.note(TEXT), SIGNER.key, verify) == TEXT
    assert text_of(SIGNER.note(TEXT)) == TEXT


def test_signatures_of_unknown_keys_are_ignored_wherever_they_are() -> None:
    signed = SIGNER.note(TEXT)
    first = signed.replace("\n\n— ", f"\n\n{UNKNOWN}— ")

    assert opened(first, SIGNER.key, verify) == TEXT
    assert opened(signed + UNKNOWN, SIGNER.key, verify) == TEXT
    assert opened(signed + OTHER.note(TEXT).rpartition("\n\n")[2], OTHER.key, verify) == TEXT


def test_the_name_alone_or_the_key_alone_is_not_enough() -> None:
    renamed = Signer(1, "lkps.example/us-1")

    for stranger in (OTHER, renamed):
        with pytest.raises(NoteInvalid, match="not signed by this key"):
            opened(SIGNER.note(TEXT), stranger.key, verify)


def test_a_wrong_signature_by_the_key_is_refused_although_a_right_one_follows() -> None:
    wrong = note(TEXT, SIGNER.key, SIGNER.sign("another text\n"))
    right = SIGNER.note(TEXT).rpartition("\n\n")[2]

    with pytest.raises(NoteInvalid, match="not this key's over this text"):
        opened(wrong + right, SIGNER.key, verify)


def test_a_changed_text_is_refused_whichever_its_byte() -> None:
    signed = SIGNER.note(TEXT)
    for at in range(len(TEXT)):
        changed = signed[:at] + chr(ord(signed[at]) ^ 1) + signed[at + 1 :]
        with pytest.raises(NoteInvalid):
            opened(changed, SIGNER.key, verify)


@pytest.mark.parametrize(
    "signed",
    [
        "",
        "\n",
        TEXT,
        f"{TEXT}\n",
        SIGNER.note(TEXT)[:-1],
        SIGNER.note(TEXT).replace("—", "-"),
        SIGNER.note(TEXT) + "\n",
        SIGNER.note(TEXT) + "— no signature\n",
        SIGNER.note(TEXT) + f"— a name {base64.b64encode(bytes(68)).decode()}\n",
        SIGNER.note(TEXT) + "— name AAAAA\n",
        SIGNER.note(TEXT) + UNKNOWN * 16,
        SIGNER.note(TEXT).replace("first", "\x00first"),
        SIGNER.note(TEXT).replace("first", "\tfirst"),
        SIGNER.note(TEXT).replace("\n", "\r\n"),
        SIGNER.note(TEXT).replace("first", "\ud800"),
    ],
)
def test_what_is_no_note_is_refused(signed: str) -> None:
    with pytest.raises(NoteInvalid):
        opened(signed, SIGNER.key, verify)
    with pytest.raises(NoteInvalid):
        text_of(signed)


def test_sixteen_signatures_are_taken() -> None:
    assert opened(SIGNER.note(TEXT) + UNKNOWN * 15, SIGNER.key, verify) == TEXT
