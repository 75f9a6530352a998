"""A CheckpointSigner in Azure Key Vault, which signs and never gives the private key away."""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lkps_core.adapters.tables.authorization import by_identity
from lkps_core.errors import SigningUnavailable, StorageUnavailable

CALL_SECONDS = 5.0

_SCOPE = "https://vault.azure.net/.default"
_VERSION = {"api-version": "7.4"}
_HALF = 32


class VaultKey:
    """`key_id` is `https://{vault}/keys/{name}/{version}`. Used inside one event loop."""

    def __init__(self, key_id: str, credential: AsyncTokenCredential) -> None:
        self._key_id = key_id
        self._credential = credential
        self._authorize = by_identity(credential, _SCOPE)
        self._session: aiohttp.ClientSession | None = None
        self._public: bytes | None = None

    async def public_key(self) -> bytes:
        if self._public is None:
            answer = await self._call("GET", self._key_id)
            try:
                self._public = _public_key(answer["key"])
            except (KeyError, TypeError, ValueError) as error:
                raise SigningUnavailable(reason="the vault's key is none over P-256") from error
        return self._public

    async def sign(self, text: bytes) -> bytes:
        digest = _base64url(hashlib.sha256(text).digest())
        body = {"alg": "ES256", "value": digest}
        answer = await self._call("POST", f"{self._key_id}/sign", body)
        try:
            signature = _decoded(answer["value"])
        except (KeyError, TypeError, ValueError) as error:
            raise SigningUnavailable(reason="the vault's answer has no signature") from error
        if len(signature) != 2 * _HALF:
            raise SigningUnavailable(reason="the vault's answer has no signature")
        return encode_dss_signature(
            int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:])
        )

    async def close(self) -> None:
        await self._credential.close()
        if self._session is not None:
            await self._session.close()

    async def _call(
        self, method: str, address: str, body: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._answer(method, address, body)
        except TimeoutError as error:
            raise SigningUnavailable(reason="the vault did not answer in time") from error
        except StorageUnavailable as error:  # the managed identity's word
            raise SigningUnavailable(reason=error.reason) from error
        except aiohttp.ClientError as error:
            raise SigningUnavailable(reason="the vault cannot be reached") from error
        except ValueError as error:
            raise SigningUnavailable(reason="the vault's answer is not JSON") from error

    async def _answer(
        self, method: str, address: str, body: Mapping[str, str] | None
    ) -> Mapping[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        async with self._session.request(
            method,
            address,
            params=_VERSION,
            json=body,
            headers=await self._authorize(address),
            allow_redirects=False,
        ) as response:
            if response.status != 200:
                raise SigningUnavailable(reason=f"the vault answered {response.status}")
            answer: Mapping[str, Any] = await response.json()
            return answer


def _public_key(jwk: Mapping[str, str]) -> bytes:
    if jwk["kty"] not in ("EC", "EC-HSM") or jwk["crv"] != "P-256":
        raise ValueError("not a key over P-256")
    x, y = (int.from_bytes(_decoded(jwk[name])) for name in ("x", "y"))
    numbers = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
    return numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _base64url(decoded: bytes) -> str:
    return base64.urlsafe_b64encode(decoded).decode().rstrip("=")


def _decoded(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
