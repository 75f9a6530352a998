"""A person who signed in, and is not asked again while Entra ID remembers them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

import msal  # type: ignore[import-untyped]

from lkps.credentials.entra import EntraApplication, issued_token
from lkps.credentials.http import Watched
from lkps.errors import CredentialError

SignIn = Callable[[msal.PublicClientApplication, list[str]], dict[str, Any]]
"""A way to sign in for scopes; it gives MSAL's answer."""

_SIGN_IN_AGAIN = frozenset({"interaction_required", "invalid_grant", "login_required"})


class NotSignedIn(CredentialError):  # noqa: N818
    """Nobody signed in, or not any more."""


class Tokens(Protocol):
    """Where the tokens of one person are, at most."""

    @property
    def opened(self) -> msal.SerializableTokenCache: ...

    def replace(self, cache: msal.SerializableTokenCache) -> None: ...


class InMemory:
    """Tokens that end with the program."""

    def __init__(self) -> None:
        self.opened = msal.SerializableTokenCache()

    def replace(self, cache: msal.SerializableTokenCache) -> None:
        self.opened.deserialize(cache.serialize())


@dataclass(frozen=True)
class Person:
    """The credential of whoever signed in last."""

    application: EntraApplication
    cache: Tokens = field(repr=False)
    _turn: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    async def access_token(self) -> str:
        return await asyncio.to_thread(self.silently)

    def sign_in(self, way: SignIn) -> None:
        """Who was signed in before is forgotten, once somebody has signed in."""
        fresh, http = msal.SerializableTokenCache(), Watched()
        with self.application.asking(http):
            client = self.application.public_client(fresh, http)
            issued_token(way(client, [self.application.scope]), http)
        self.cache.replace(fresh)

    def silently(self) -> str:
        """Raises `NotSignedIn` when a person has to sign in."""
        with self._turn, self.application.asking(self._http):
            answer = self._client.acquire_token_silent_with_error(
                [self.application.scope], account=self._account()
            )
        if not answer:
            raise _nobody()
        return self._token(answer)

    def _account(self) -> dict[str, Any]:
        client = self._client
        try:
            accounts: list[dict[str, Any]] = client.get_accounts()
        except ValueError as error:
            raise NotSignedIn("who signed in cannot be read: lkps login") from error
        if not accounts:
            raise _nobody()
        return accounts[0]

    def _token(self, answer: dict[str, Any]) -> str:
        try:
            return issued_token(answer, self._http)
        except CredentialError as error:
            if answer.get("error") in _SIGN_IN_AGAIN:
                raise NotSignedIn(str(error)) from error
            raise

    @cached_property
    def _http(self) -> Watched:
        return Watched()

    @cached_property
    def _client(self) -> msal.PublicClientApplication:
        return self.application.public_client(self.cache.opened, self._http)


def _nobody() -> NotSignedIn:
    return NotSignedIn("nobody is signed in: lkps login")
