"""Signed notes (c2sp.org/signed-note): a text, and who signed it, with ECDSA over P-256."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

VerifySignature = Callable[[bytes, bytes, bytes], bool]
"""Whether the key (a SubjectPublicKeyInfo in DER) signed the text: (key, signature, text).

The signature is ECDSA with SHA-256, as ASN.1 DER.
"""

_ECDSA = b"\x02"
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_NO_KEY = "not a checkpoint key: {name}+{key id}+{base64}"
_MOST_SIGNATURES = 16
_NO_TEXT = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which are not UTF-8."""


class NoteInvalid(Exception):  # noqa: N818  an answer, not a defect
    """The text is not a note, or not one that this key signed."""


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A name and the public key behind it, a SubjectPublicKeyInfo in DER."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """That of type 0x02: the hash of the key alone."""
        return hashlib.sha256(self.public_key).digest()[:4]

    @property
    def text(self) -> str:
        """As notes' tools take it: `{name}+{key id}+{type and key}`."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ECDSA + self.public_key)}"

    @classmethod
    def parse(cls, text: str) -> "NoteKey":
        """NoteInvalid when it is no key's text."""
        found = _KEY.fullmatch(text.strip())
        if not found:
            raise NoteInvalid(_NO_KEY)
        name, key_id, encoded = found.groups()
        decoded = _decoded(encoded)
        key = cls(name, decoded[1:])
        if decoded[:1] != _ECDSA or key.key_id.hex() != key_id:
            raise NoteInvalid(_NO_KEY)
        return key


def note(text: str, key: NoteKey, signature: bytes) -> str:
    return f"{text}\n— {key.name} {_base64(key.key_id + signature)}\n"


def opened(signed: str, key: NoteKey, verify: VerifySignature) -> str:
    """The note's text, once the key has signed it; NoteInvalid when it has not."""
    text, signatures = _parts(signed)
    for name, signature in signatures:
        if name == key.name and signature[:4] == key.key_id:
            if not verify(key.public_key, signature[4:], text.encode()):
                raise NoteInvalid("the signature is not this key's over this text")
            return text
    raise NoteInvalid("the note is not signed by this key")


def text_of(signed: str) -> str:
    """The note's text, whoever signed it; NoteInvalid when it is no note."""
    return _parts(signed)[0]


def _parts(signed: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, gap, lines = signed.rpartition("\n\n")
    if not gap or not lines.endswith("\n") or _NO_TEXT.search(signed):
        raise NoteInvalid("not a signed note")
    found = [_LINE.fullmatch(line) for line in lines[:-1].split("\n")]
    if len(found) > _MOST_SIGNATURES:
        raise NoteInvalid("too many signatures")
    signatures = [(line[1], _decoded(line[2])) for line in found if line]
    if len(signatures) != len(found):
        raise NoteInvalid("a signature's line cannot be read")
    return text + "\n", signatures


def _base64(decoded: bytes) -> str:
    return base64.b64encode(decoded).decode()


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteInvalid("not Base64") from error
