"""A person who signs in with the browser, and is not asked again while Entra ID remembers them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msal  # type: ignore[import-untyped]

from lkps.cli.token_cache import TokenCache
from lkps.credentials import EntraApplication, asking_entra, issued_token
from lkps.errors import CredentialError

_PATIENCE_SECONDS = 300


class NotSignedIn(CredentialError):  # noqa: N818
    """Nobody signed in on this machine, or not any more."""


@dataclass(frozen=True)
class Person:
    """The credential of whoever signed in last."""

    application: EntraApplication
    cache: TokenCache

    async def access_token(self) -> str:
        return await asyncio.to_thread(self._silently)

    def sign_in(self, *, login_hint: str | None, announce: Callable[[str], None]) -> None:
        """Authorization code with PKCE in the browser; who was signed in before is forgotten.

        `announce` gets the address when no browser can be opened.
        """
        fresh = msal.SerializableTokenCache()
        with asking_entra():
            client = self.application.public_client(fresh)
            issued_token(self._interactively(client, login_hint, announce))
        self.cache.replace(fresh)

    def _interactively(
        self,
        client: msal.PublicClientApplication,
        login_hint: str | None,
        announce: Callable[[str], None],
    ) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = client.acquire_token_interactive(
                [self.application.scope],
                login_hint=login_hint,
                prompt=None if login_hint else msal.Prompt.SELECT_ACCOUNT,
                timeout=_PATIENCE_SECONDS,
                auth_uri_callback=announce,
            )
        except msal.BrowserInteractionTimeoutError as error:
            raise CredentialError("nobody signed in within five minutes") from error
        return answer

    def _silently(self) -> str:
        with asking_entra():
            client = self.application.public_client(self.cache.opened())
            accounts = client.get_accounts()
            answer = accounts and client.acquire_token_silent_with_error(
                [self.application.scope], account=accounts[0]
            )
        if not answer:
            raise NotSignedIn("nobody is signed in")
        return issued_token(answer)
