"""A public client's side of the authorization code flow, over http and without a library."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import jwt

from dev.tenant.codes import challenge_of
from dev.tenant.description import Tenant

REDIRECT_URI = "http://localhost:8765/answer"
STATE = "the state + of = the client"
VERIFIER = "the-verifier-of-the-client-has-43-characters"
OPENID = "openid profile offline_access"


@dataclass(frozen=True)
class CodeFlow:
    """Each request is a good one, changed as asked; None leaves a parameter out."""

    tenant: Tenant
    http: aiohttp.ClientSession

    @property
    def endpoint(self) -> str:
        return f"{self.tenant.authority}/{self.tenant.tenant_id}/oauth2/v2.0/authorize"

    def scope(self, *names: str) -> str:
        return " ".join(f"api://{self.tenant.audience}/{name}" for name in names)

    def query(self, **changes: str | None) -> dict[str, str]:
        asked = {
            "client_id": self.tenant.public_clients["cli"],
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": f"{OPENID} {self.scope('Session.Start', 'Agent.Manage')}",
            "state": STATE,
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            "login_hint": "alice@lkps.example",
        }
        return _sent(asked, changes)

    async def authorize(self, **changes: str | None) -> tuple[int, aiohttp.ClientResponse, str]:
        """Status, answer and its text; a redirect is not followed."""
        async with self.http.get(
            self.endpoint, params=self.query(**changes), allow_redirects=False
        ) as response:
            return response.status, response, await response.text()

    async def answer(self, **changes: str | None) -> dict[str, str]:
        """What the redirect brings."""
        status, response, _ = await self.authorize(**changes)
        assert status == 302
        return dict(parse_qsl(urlsplit(response.headers["Location"]).query))

    async def code(self, **changes: str | None) -> str:
        return (await self.answer(**changes))["code"]

    async def redeem(self, code: str, /, **changes: str | None) -> tuple[int, dict[str, Any]]:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.tenant.public_clients["cli"],
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return await self._token(_sent(form, changes))

    async def refresh(self, token: str, /, **changes: str | None) -> tuple[int, dict[str, Any]]:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.tenant.public_clients["cli"],
            "refresh_token": token,
        }
        return await self._token(_sent(form, changes))

    async def signed_in(self, **changes: str | None) -> dict[str, Any]:
        """The token endpoint's answer to a sign-in."""
        status, answer = await self.redeem(await self.code(**changes))
        assert status == 200
        return answer

    async def _token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        endpoint = self.tenant.identity("alice").token_endpoint
        async with self.http.post(endpoint, data=form) as response:
            return response.status, await response.json()


def unverified(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def _sent(good: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    changed = {**good, **changes}
    return {name: value for name, value in changed.items() if value is not None}
