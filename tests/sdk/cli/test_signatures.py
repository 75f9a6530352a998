"""Signatures under checkpoints are ECDSA over P-256, and nothing else is taken for one."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lkps.cli.signatures import load, verify_signature
from tests.trail.parts.keys import Signer

SIGNER = Signer(1)
KEY = SIGNER.key.public_key
SIGNATURE = SIGNER.sign("text")
FORMS = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
P384 = ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(*FORMS)
ED25519 = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*FORMS)
P256_CURVE = bytes.fromhex("2a8648ce3d030107")
UNKNOWN_CURVE = KEY.replace(P256_CURVE, P256_CURVE[:-1] + b"\x7f")


def test_what_the_key_signed_is_verified() -> None:
    assert verify_signature(KEY, SIGNATURE, b"text")


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        (SIGNATURE, b"another text"),
        (Signer(2).sign("text"), b"text"),
        (SIGNATURE[:-1], b"text"),
        (SIGNATURE + b"\0", b"text"),
        (b"", b"text"),
        (bytes(64), b"text"),
    ],
)
def test_anything_else_is_not(signature: bytes, text: bytes) -> None:
    assert not verify_signature(KEY, signature, text)


@pytest.mark.parametrize("key", [b"", b"no key", KEY[:-1], P384, ED25519, UNKNOWN_CURVE])
def test_only_keys_over_p256_are_taken(key: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the class is all that is promised
        load(key)
