"""Entra ID, as MSAL asks it: for which application of which tenant, and what its answers mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

import msal  # type: ignore[import-untyped]
import requests
from msal.exceptions import MsalServiceError  # type: ignore[import-untyped]

from lkps.credentials.http import Watched
from lkps.credentials.refusals import refusal
from lkps.errors import CredentialError, Unavailable

PUBLIC_AUTHORITY = "https://login.microsoftonline.com"
_TRANSIENT = frozenset({"temporarily_unavailable", "server_error"})


@dataclass(frozen=True)
class EntraApplication:
    """Which application of which tenant, and the API it wants to call."""

    tenant_id: str
    client_id: str
    scope: str
    authority: str = PUBLIC_AUTHORITY

    def confidential_client(
        self, credential: object, http: Watched
    ) -> msal.ConfidentialClientApplication:
        return msal.ConfidentialClientApplication(
            self.client_id, client_credential=credential, **self._tenant(http)
        )

    def public_client(
        self, token_cache: msal.TokenCache, http: Watched
    ) -> msal.PublicClientApplication:
        """For people who sign in through the application, which has nothing to prove itself."""
        return msal.PublicClientApplication(
            self.client_id, token_cache=token_cache, **self._tenant(http)
        )

    @contextmanager
    def asking(self, http: Watched) -> Iterator[None]:
        """What MSAL raises becomes `Unavailable` or `CredentialError`."""
        try:
            yield
        except requests.RequestException as error:
            raise Unavailable(_unreachable(error)) from error
        except (MsalServiceError, JSONDecodeError) as error:
            raise _unavailable(http) from error
        except ValueError as error:
            if http.may_pass or http.status == 200:  # 200: a proxy's page, in Entra ID's place
                raise _unavailable(http) from error
            raise CredentialError(self._unknown(http.status, error)) from error

    def _tenant(self, http: Watched) -> dict[str, object]:
        return {
            "authority": f"{self.authority.rstrip('/')}/{self.tenant_id}",
            "instance_discovery": None if self.authority == PUBLIC_AUTHORITY else False,
            "http_client": http,
        }

    def _unknown(self, status: int, error: ValueError) -> str:
        if not status:
            return f"Entra ID cannot be asked: {error}"
        return (
            f"Entra ID knows no tenant {self.tenant_id}. Look at AZURE_TENANT_ID; in another cloud"
            " than the global one, also at LKPS_AUTHORITY"
        )


def issued_token(answer: Mapping[str, Any], http: Watched) -> str:
    """The access token in MSAL's answer; raises for an answer without one."""
    if "access_token" in answer:
        return str(answer["access_token"])
    if answer.get("error") in _TRANSIENT or http.may_pass:
        raise _unavailable(http)
    raise CredentialError(refusal(answer, http.date))


def _unavailable(http: Watched) -> Unavailable:
    detail = "with another's page" if http.status == 200 else http.status
    return Unavailable(f"Entra ID answers {detail}", retry_after=http.retry_after)


def _unreachable(error: requests.RequestException) -> str:
    detail = f"Entra ID cannot be reached: {type(error).__name__}"
    if isinstance(error, requests.exceptions.SSLError):
        return f"{detail}. REQUESTS_CA_BUNDLE names a file of the certificates to trust"
    return detail
