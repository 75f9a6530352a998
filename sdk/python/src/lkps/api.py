"""The API of LKPS over HTTP, as one caller: an answer, or an error for every other answer."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from lkps.addresses import address
from lkps.clocks import clock_error
from lkps.credentials import Credential
from lkps.errors import CredentialError, LkpsError, Refused, Unavailable
from lkps.problems import members_of, what_it_says

_LATER = frozenset({408, 429})
_FOREIGN = "the answer is not one that LKPS gives"


@dataclass(frozen=True)
class Answer:
    body: Mapping[str, Any] = field(repr=False)
    status: int
    request_id: str
    retry_after: float = 0.0
    date: str = ""

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Reading it in the block, a member that is not there or not as it should is `Refused`."""
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Refused(self.status, self.code, _FOREIGN, self.request_id) from error

    @property
    def code(self) -> str:
        return str(self.body.get("code", "unknown"))


class Api:
    """Raises an `LkpsError` and nothing else.

    A refusal's class is that of its code in `refusals`. Any other is `Unavailable` when it may pass
    by itself, and else `Refused`; so is what a gateway answers in LKPS's place.
    """

    def __init__(
        self, lkps_url: str, credential: Credential, refusals: Mapping[str, type[Refused]]
    ) -> None:
        self._api = f"{lkps_url}/api"
        self._credential = credential
        self._refusals = refusals
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: str,
        *path: str,
        seconds: float,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, with a request id of its own, that is given up after so many seconds."""
        request_id = str(uuid.uuid4())
        url = f"{self._api}/{address(*path)}"
        credentials = {"Authorization": f"Bearer {await self._access_token()}"}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.request(
                method,
                url,
                params=query,
                json=body,
                headers={**credentials, "X-Request-ID": request_id, **(headers or {})},
                timeout=aiohttp.ClientTimeout(total=seconds),
                proxy=proxy_for(url),
                allow_redirects=False,
            ) as response:
                answer = await _read(response, request_id)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(_unreachable(url, error), request_id=request_id) from error
        if not 200 <= answer.status < 300:
            raise self._error(answer)
        return answer

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _access_token(self) -> str:
        try:
            return await self._credential.access_token()
        except LkpsError:
            raise
        except Exception as error:  # a credential of the application's own may raise anything
            kind = type(self._credential).__name__
            raise CredentialError(f"{kind} gave no token: {type(error).__name__}") from error

    def _error(self, answer: Answer) -> Unavailable | Refused:
        """A problem document's (RFC 9457), or one for what a gateway answers in its place."""
        may_pass = answer.status in _LATER or answer.status >= 500
        if may_pass and answer.code not in self._refusals:
            return Unavailable(
                f"LKPS answers {answer.status} {answer.code} (request {answer.request_id})",
                retry_after=answer.retry_after,
                request_id=answer.request_id,
            )
        return self._refusals.get(answer.code, Refused)(
            answer.status,
            answer.code,
            what_it_says(answer.body) or _FOREIGN,
            answer.request_id,
            members_of(answer.body),
            retry_after=answer.retry_after,
            advice=clock_error(answer.date, datetime.now(UTC)) if answer.status == 401 else "",
        )


def proxy_for(url: str) -> str | None:
    """As aiohttp's `trust_env` finds it, without the passwords of `.netrc` that come with that."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def _unreachable(url: str, error: Exception) -> str:
    detail = f"LKPS cannot be reached at {urlsplit(url).hostname}: {type(error).__name__}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{detail}. SSL_CERT_FILE names a file of the certificates to trust"
    return detail


async def _read(response: aiohttp.ClientResponse, request_id: str) -> Answer:
    wait = response.headers.get("Retry-After", "")
    return Answer(
        await _json(response),
        response.status,
        response.headers.get("X-Request-ID", request_id),
        float(wait) if wait.isdecimal() else 0.0,
        response.headers.get("Date", ""),
    )


async def _json(response: aiohttp.ClientResponse) -> Mapping[str, Any]:
    try:
        body = await response.json(content_type=None)
    except ValueError:  # not JSON (or not text): a gateway's own page
        return {}
    return body if isinstance(body, dict) else {}
