"""Managed identities: Azure's machines, apps and containers, which need to keep nothing secret."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msal  # type: ignore[import-untyped]
import requests

from lkps.credentials.credential import Blocking
from lkps.credentials.http import Watched
from lkps.errors import CredentialError, Unavailable

_REFUSED = frozenset({400, 401, 403})


@dataclass(frozen=True)
class ManagedIdentity(Blocking):
    """The system-assigned one, or with `client_id` a user-assigned one.

    MSAL finds where to ask in the environment: App Service's and Container Apps' endpoint, that of
    Azure Arc, of Service Fabric or of Machine Learning, else that of a virtual machine (IMDS).
    """

    scope: str
    client_id: str | None = None
    _cache: msal.TokenCache = field(
        default_factory=msal.TokenCache, init=False, repr=False, compare=False
    )

    def _ask(self) -> str:
        self._repeated.clear()
        with self._asking():
            answer: dict[str, Any] = self._client.acquire_token_for_client(
                resource=self.scope.removesuffix("/.default")
            )
        if "access_token" in answer:
            return str(answer["access_token"])
        if self._http.status in _REFUSED:
            raise CredentialError(self._refusal())
        raise self._unavailable()

    def _forget(self) -> None:
        for kept in list(self._cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN)):
            self._cache.remove_at(kept)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except requests.RequestException as error:
            detail = f"the managed identity cannot be reached: {type(error).__name__}"
            raise Unavailable(f"{detail}. Does this run on Azure?") from error
        # What MSAL makes of an answer that is not the identity endpoint's.
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._unavailable() from error

    def _unavailable(self) -> Unavailable:
        detail = f"the managed identity gives no token ({self._http.status})"
        return Unavailable(detail, retry_after=self._http.retry_after)

    def _refusal(self) -> str:
        """Without the endpoint's own words: nobody promises what is in them."""
        which = (
            "Is that of AZURE_CLIENT_ID assigned to what this runs on?"
            if self.client_id
            else "Has what this runs on a system-assigned one? AZURE_CLIENT_ID names another"
        )
        return f"there is no such managed identity ({self._http.status}). {which}"

    @cached_property
    def _http(self) -> Watched:
        http = Watched(seconds=5.0, retries=0)
        http.trust_env = False  # the endpoint is on this machine, or one hop away
        return http

    @cached_property
    def _repeated(self) -> dict[Any, Any]:
        """Emptied before it is asked: MSAL would repeat an error for seconds."""
        return {}

    @cached_property
    def _client(self) -> msal.ManagedIdentityClient:
        identity = (
            msal.UserAssignedManagedIdentity(client_id=self.client_id)
            if self.client_id
            else msal.SystemAssignedManagedIdentity()
        )
        return msal.ManagedIdentityClient(
            identity, http_client=self._http, token_cache=self._cache, http_cache=self._repeated
        )
