"""Entra's published signing keys, read over HTTPS from the tenant's own metadata."""

import asyncio
from collections.abc import Mapping

import aiohttp

from lkps_core.errors import KeysUnavailable
from lkps_core.strict_json import NotStrictJson, parse_object

MAX_DOCUMENT_BYTES = 256 * 1024
SECONDS_IN_ALL = 5.0


class EntraKeySource:
    """A KeySource for one tenant; `authority` is an origin without a trailing slash.

    Each fetch has a session of its own: one an hour gains nothing from a pool, and there is none
    to close. Proxies and `.netrc` of the environment are left out: what is read here decides who
    is believed, so it comes from the authority itself and carries no credentials there.
    """

    def __init__(self, authority: str, tenant_id: str) -> None:
        self._authority = authority
        self._issuer = f"{authority}/{tenant_id}/v2.0"

    async def fetch(self) -> Mapping[str, object]:
        """The tenant's JWK set; KeysUnavailable unless all is in order within five seconds."""
        try:
            async with asyncio.timeout(SECONDS_IN_ALL), _session() as session:
                metadata = await _document(
                    session, f"{self._issuer}/.well-known/openid-configuration"
                )
                return await _document(session, self._jwks_uri(metadata))
        except TimeoutError as error:
            raise KeysUnavailable(reason="entra_timeout") from error
        except aiohttp.ClientError as error:
            raise KeysUnavailable(reason="entra_unreachable") from error

    def _jwks_uri(self, metadata: Mapping[str, object]) -> str:
        if metadata.get("issuer") != self._issuer:
            raise KeysUnavailable(reason="entra_metadata_issuer")
        address = metadata.get("jwks_uri")
        if not isinstance(address, str) or not address.startswith(f"{self._authority}/"):
            raise KeysUnavailable(reason="entra_jwks_uri")
        return address


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        # The size is bounded as it travels: nothing small unpacks into something large.
        auto_decompress=False,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=None),
    )


async def _document(session: aiohttp.ClientSession, address: str) -> Mapping[str, object]:
    async with session.get(address, allow_redirects=False) as response:
        if response.status != 200:
            raise KeysUnavailable(reason="entra_status")
        body = await _bounded(response.content)
    try:
        return parse_object(body)
    except NotStrictJson as error:
        raise KeysUnavailable(reason="entra_not_json") from error


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_DOCUMENT_BYTES:
            raise KeysUnavailable(reason="entra_document_too_large")
    return bytes(body)
