"""Credentials: as whom the agent asks Entra ID for the access token that LKPS wants to see."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import msal  # type: ignore[import-untyped]
import requests

from lkps.errors import ConfigurationError, CredentialError, Unavailable

logger = logging.getLogger("lkps")

PUBLIC_AUTHORITY = "https://login.microsoftonline.com"
_TIMEOUT_SECONDS = 10
_TRANSIENT = frozenset({"temporarily_unavailable", "server_error"})


class Credential(Protocol):
    """Whatever can say who the agent is."""

    async def access_token(self) -> str:
        """An access token for LKPS's API, valid now; wanted before every request, so cache it."""
        ...


@dataclass(frozen=True)
class EntraApplication:
    """Which application of which tenant, and the API it wants to call."""

    tenant_id: str
    client_id: str
    scope: str
    authority: str = PUBLIC_AUTHORITY

    def confidential_client(self, credential: object) -> msal.ConfidentialClientApplication:
        return msal.ConfidentialClientApplication(
            self.client_id, client_credential=credential, **self._tenant()
        )

    def public_client(self, token_cache: msal.TokenCache) -> msal.PublicClientApplication:
        """For people who sign in through the application, which has nothing to prove itself."""
        return msal.PublicClientApplication(
            self.client_id, token_cache=token_cache, **self._tenant()
        )

    def _tenant(self) -> dict[str, object]:
        return {
            "authority": f"{self.authority.rstrip('/')}/{self.tenant_id}",
            "instance_discovery": None if self.authority == PUBLIC_AUTHORITY else False,
            "timeout": _TIMEOUT_SECONDS,
        }


@dataclass(frozen=True)
class ClientSecret:
    """An application that proves itself with a client secret."""

    application: EntraApplication
    client_secret: str = field(repr=False)

    async def access_token(self) -> str:
        return await asyncio.to_thread(lambda: _access_token(self._client, self.application.scope))

    @cached_property
    def _client(self) -> msal.ConfidentialClientApplication:
        return _connected(self.application, self.client_secret)


@dataclass(frozen=True)
class ClientCertificate:
    """An application that proves itself with a PEM file of a certificate and its private key."""

    application: EntraApplication
    certificate_path: Path

    async def access_token(self) -> str:
        return await asyncio.to_thread(lambda: _access_token(self._client, self.application.scope))

    @cached_property
    def _client(self) -> msal.ConfidentialClientApplication:
        try:
            pem = self.certificate_path.read_text()
        except OSError as error:
            raise ConfigurationError(f"AZURE_CLIENT_CERTIFICATE_PATH: {error}") from error
        if "BEGIN CERTIFICATE" not in pem or "PRIVATE KEY" not in pem:
            raise ConfigurationError(
                f"AZURE_CLIENT_CERTIFICATE_PATH: {self.certificate_path} must hold a certificate"
                " and its private key (PEM)"
            )
        return _connected(self.application, {"private_key": pem, "public_certificate": pem})


@contextmanager
def asking_entra() -> Iterator[None]:
    """What MSAL raises becomes `Unavailable` or `CredentialError`."""
    try:
        yield
    except requests.RequestException as error:
        raise Unavailable(f"Entra ID cannot be reached: {type(error).__name__}") from error
    except ValueError as error:  # a tenant that does not exist, a key that is none
        raise CredentialError(f"Entra ID cannot be asked: {error}") from error


def issued_token(answer: Mapping[str, Any]) -> str:
    """The access token in MSAL's answer; raises for an answer without one."""
    if "access_token" in answer:
        return str(answer["access_token"])
    reason = str(answer.get("error"))
    if reason in _TRANSIENT:
        raise Unavailable(f"Entra ID answers {reason}")
    description = str(answer.get("error_description", "")).partition("\n")[0].strip()
    raise CredentialError(f"Entra ID issues no access token ({reason}): {description}")


def _connected(
    application: EntraApplication, credential: object
) -> msal.ConfidentialClientApplication:
    with asking_entra():
        return application.confidential_client(credential)


def _access_token(client: msal.ConfidentialClientApplication, scope: str) -> str:
    with asking_entra():
        answer: dict[str, Any] = client.acquire_token_for_client([scope])
    token = issued_token(answer)
    if answer.get("token_source") != "cache":
        logger.info("Entra ID issued an access token", extra={"client_id": client.client_id})
    return token
