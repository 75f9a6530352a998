"""A checkpoint key as the service has it, and how its signatures are verified."""

from dataclasses import dataclass
from functools import cache, cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from lkps_trail.notes import NoteKey, note

ORIGIN = "lkps.example/eu-1"
_ECDSA = ec.ECDSA(SHA256())


@dataclass(frozen=True)
class Signer:
    """Its key is always the same."""

    secret: int
    origin: str = ORIGIN

    @cached_property
    def key(self) -> NoteKey:
        public = self._private.public_key()
        return NoteKey(
            self.origin, public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    def sign(self, text: str) -> bytes:
        return self._private.sign(text.encode(), _ECDSA)

    def note(self, text: str) -> str:
        return note(text, self.key, self.sign(text))

    @cached_property
    def _private(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self.secret, ec.SECP256R1())


@cache
def verify(public_key: bytes, signature: bytes, text: bytes) -> bool:
    """Remembers: in thousands of files the notes are the same."""
    public = load_der_public_key(public_key)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    try:
        public.verify(signature, text, _ECDSA)
    except InvalidSignature:
        return False
    return True
