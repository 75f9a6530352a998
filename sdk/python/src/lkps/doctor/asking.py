"""Asking LKPS one thing, in bounded time, and taking whatever comes for an answer."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from lkps.addresses import address
from lkps.api import proxy_for
from lkps.doctor.patient import Patient
from lkps.problems import what_it_says

SECONDS = 15.0


@dataclass(frozen=True)
class Heard:
    """`body` is empty for what is no JSON object, which LKPS never answers."""

    status: int
    kind: str
    date: str
    request_id: str
    body: dict[str, Any] = field(repr=False)

    @property
    def is_of_lkps(self) -> bool:
        return bool(self.body) and (
            self.status < 400 or {"code", "status"} & self.body.keys() != set()
        )

    @property
    def code(self) -> str:
        return str(self.body.get("code", "unknown"))

    @property
    def what(self) -> str:
        """What is refused, and why, as a problem document says it."""
        return what_it_says(self.body) or f"HTTP {self.status}"


async def ask(
    patient: Patient, method: str, *path: str, body: object = None, anonymously: bool = False
) -> Heard:
    """Raises `aiohttp.ClientError` or `TimeoutError` where nobody answers."""
    url = f"{patient.url}/api/{address(*path)}"
    headers = {"X-Request-ID": str(uuid.uuid4())}
    if patient.token and not anonymously:
        headers["Authorization"] = f"Bearer {patient.token}"
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.request(
            method, url, json=body, headers=headers, proxy=proxy_for(url), allow_redirects=False
        ) as response,
    ):
        content = await response.read()
        return Heard(
            response.status,
            response.content_type,
            response.headers.get("Date", ""),
            response.headers.get("X-Request-ID", headers["X-Request-ID"]),
            _object(content),
        )


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
