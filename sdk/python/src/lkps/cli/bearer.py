"""The access token, as requests sends it."""

import requests


class Bearer(requests.auth.AuthBase):
    """As `auth=`, because requests prefers a `.netrc` to an `Authorization` header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
