"""Signatures under checkpoints: ECDSA over P-256 with SHA-256."""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


@lru_cache(maxsize=4)
def load(public_key: bytes) -> ec.EllipticCurvePublicKey:
    """Of a SubjectPublicKeyInfo in DER. ValueError when it is no key over P-256."""
    try:
        loaded = load_der_public_key(public_key)
    except UnsupportedAlgorithm as error:
        raise ValueError("a key of an unknown kind") from error
    if not isinstance(loaded, ec.EllipticCurvePublicKey) or loaded.curve.name != "secp256r1":
        raise ValueError("not a key over P-256")
    return loaded


def verify_signature(public_key: bytes, signature: bytes, text: bytes) -> bool:
    """Whether the key, which `load` takes, signed the text."""
    try:
        load(public_key).verify(signature, text, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
