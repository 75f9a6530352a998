"""HTTP as MSAL and its like use it here: it ends in time, and tells what they do not pass on."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter

_LATER = frozenset({408, 429})


class Watched(requests.Session):
    """`status`, `date` and `retry_after` are those of the last answer; status 0 is for none."""

    def __init__(self, *, seconds: float = 10.0, retries: int = 1) -> None:
        super().__init__()
        self.status, self.date, self.retry_after = 0, "", 0.0
        self.auth = _as_it_is
        self.headers["Connection"] = "close"  # the next request is an hour away
        self._seconds = seconds
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(max_retries=retries))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # noqa: ANN401
        self.status, self.date, self.retry_after = 0, "", 0.0
        response = super().send(request, **{**options, "timeout": self._seconds})
        wait = response.headers.get("Retry-After", "")
        self.status = response.status_code
        self.date = response.headers.get("Date", "")
        self.retry_after = float(wait) if wait.isdecimal() else 0.0
        return response

    @property
    def may_pass(self) -> bool:
        """Whether the last answer was one that may be another by itself."""
        return self.status in _LATER or self.status >= 500


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without any, requests would take a password from `.netrc`."""
    return request
