"""A CheckpointSigner for `local`: a private key in a file, made when there is none."""

import asyncio
import os
import tempfile
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from lkps_core.errors import SigningUnavailable


class FileKey:
    """Two processes at once make one key: whoever is second takes the first one's."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._loaded: ec.EllipticCurvePrivateKey | None = None

    async def public_key(self) -> bytes:
        public = (await self._key()).public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    async def sign(self, text: bytes) -> bytes:
        return (await self._key()).sign(text, ec.ECDSA(hashes.SHA256()))

    async def close(self) -> None:
        return

    async def _key(self) -> ec.EllipticCurvePrivateKey:
        if self._loaded is None:
            try:
                self._loaded = await asyncio.to_thread(self._load)
            except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
                raise SigningUnavailable(reason="the key's file cannot be used") from error
        return self._loaded

    def _load(self) -> ec.EllipticCurvePrivateKey:
        if not self._path.exists():
            self._make()
        key = load_pem_private_key(self._path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ValueError("not a key over P-256")
        return key

    def _make(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        made = ec.generate_private_key(ec.SECP256R1())
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        handle, name = tempfile.mkstemp(dir=self._path.parent)  # for its owner alone
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
            os.link(name, self._path)
        except FileExistsError:
            return
        finally:
            Path(name).unlink()
