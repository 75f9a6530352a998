"""Ways for a person to sign in: with a browser on this machine, or with a code on another."""

import sys
from collections.abc import Callable
from typing import Any

import msal  # type: ignore[import-untyped]

from lkps.credentials.person import SignIn
from lkps.errors import CredentialError

Announce = Callable[[str], None]

_PATIENCE_SECONDS = 300


def by_browser(announce: Announce, login_hint: str | None = None) -> SignIn:
    """Authorization code with PKCE; `announce` gets the address when no browser can be opened."""

    def sign_in(client: msal.PublicClientApplication, scopes: list[str]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = client.acquire_token_interactive(
                scopes,
                login_hint=login_hint,
                prompt=None if login_hint else msal.Prompt.SELECT_ACCOUNT,
                timeout=_PATIENCE_SECONDS,
                auth_uri_callback=announce,
            )
        except msal.BrowserInteractionTimeoutError as error:
            raise CredentialError("nobody signed in within five minutes") from error
        return answer

    return sign_in


def by_device_code(announce: Announce) -> SignIn:
    """RFC 8628; `announce` gets what to tell the person: where to go, and the code to type."""

    def sign_in(client: msal.PublicClientApplication, scopes: list[str]) -> dict[str, Any]:
        flow: dict[str, Any] = client.initiate_device_flow(scopes)
        if "user_code" not in flow:
            return flow
        announce(str(flow["message"]))
        answer: dict[str, Any] = client.acquire_token_by_device_flow(flow)
        return answer

    return sign_in


def announce_on_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
