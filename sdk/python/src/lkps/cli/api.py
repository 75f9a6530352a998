"""The API of LKPS over HTTP, as one caller."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import TypeVar

import requests

from lkps.addresses import address
from lkps.cli.answers import FOREIGN, Answer, Foreign, Json, read_answer
from lkps.cli.bearer import Bearer
from lkps.credentials import Credential
from lkps.errors import Unavailable

_TIMEOUTS = (10, 60)  # to connect, to be answered
_PATIENT = (10, 240)  # Functions answer within 230 s
_SLOW = frozenset({"policy", "audit"})  # all of a policy, or much of the trail
_T = TypeVar("_T")
_LINES = "application/x-ndjson"
_PAUSES = (0.2, 0.4, 0.8)
_LONGEST_PAUSE = 10.0
_PAGE = "500"  # the most that LKPS gives at once


class Api:
    """Raises an `LkpsError` and nothing else.

    What may be sent twice (`repeatable`) is, three times at most, while LKPS cannot be reached or
    asks to come back soon.
    """

    def __init__(self, lkps_url: str, credential: Credential) -> None:
        self._api = f"{lkps_url}/api"
        self._credential = credential
        self._session = requests.Session()

    def get(self, *path: str, **query: str) -> Answer:
        return self._repeat(lambda: self._send("GET", path, query=query))

    def pages(self, *path: str, member: str, **query: str) -> Json:
        """The whole list, under the member that every page has it in."""
        return {member: list(chain.from_iterable(self._pages(path, member, query)))}

    def post(self, *path: str, body: object, repeatable: bool = True, if_match: str = "") -> Answer:
        def send() -> Answer:
            return self._send("POST", path, body=body, conditions=_unchanged(if_match))

        return self._repeat(send) if repeatable else send()

    def create(self, *path: str, body: object) -> Answer:
        """Refused with 412 when it is there already."""
        return self._send("PUT", path, body=body, conditions={"If-None-Match": "*"})

    def put(self, *path: str, body: object, if_match: str) -> Answer:
        return self._send("PUT", path, body=body, conditions=_unchanged(if_match))

    def patch(self, *path: str, body: object, if_match: str) -> Answer:
        return self._send("PATCH", path, body=body, conditions=_unchanged(if_match))

    def delete(self, *path: str, body: object = None) -> Answer:
        return self._repeat(lambda: self._send("DELETE", path, body=body))

    def lines(self, *path: str, **query: str) -> bytes:
        """An answer of lines of JSON, as its bytes are."""

        def send() -> bytes:
            answer = self._request("GET", path, query=query)
            if not answer.headers.get("Content-Type", "").startswith(_LINES):
                read_answer(answer.status_code, answer.headers, answer.content)
                raise Foreign(FOREIGN)
            return answer.content

        return self._repeat(send)

    def _pages(
        self, path: tuple[str, ...], member: str, query: Mapping[str, str]
    ) -> Iterator[list[Json]]:
        after: dict[str, str] = {}
        while True:
            page = self.get(*path, **query, limit=_PAGE, **after).body
            yield page[member]
            if not page.get("next"):
                return
            after = {"after": str(page["next"])}

    def _repeat(self, send: Callable[[], _T]) -> _T:
        for pause in _PAUSES:
            try:
                return send()
            except Unavailable as error:
                if error.retry_after > _LONGEST_PAUSE:
                    raise
                time.sleep(max(pause, error.retry_after))
        return send()

    def _send(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        conditions: Mapping[str, str] | None = None,
    ) -> Answer:
        answer = self._request(method, path, query=query, body=body, conditions=conditions)
        return read_answer(answer.status_code, answer.headers, answer.content)

    def _request(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        conditions: Mapping[str, str] | None = None,
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                f"{self._api}/{address(*path)}",
                params=query,
                json=body,
                headers={"X-Request-ID": str(uuid.uuid4()), **(conditions or {})},
                auth=self._authorization,
                timeout=_PATIENT if path[0] in _SLOW else _TIMEOUTS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unavailable(_unreachable(method, error)) from error

    @cached_property
    def _authorization(self) -> Bearer:
        return Bearer(asyncio.run(self._credential.access_token()))


def _unchanged(etag: str) -> dict[str, str]:
    return {"If-Match": etag} if etag else {}


def _unreachable(method: str, error: requests.RequestException) -> str:
    detail = f"LKPS cannot be reached: {type(error).__name__}"
    if isinstance(error, requests.exceptions.SSLError):
        return f"{detail}. REQUESTS_CA_BUNDLE names a file of the certificates to trust"
    if isinstance(error, requests.exceptions.ReadTimeout) and method != "GET":
        return f"{detail}. Whether it was done is not known: look before you repeat it"
    return detail
