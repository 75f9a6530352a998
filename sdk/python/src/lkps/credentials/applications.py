"""Applications of Entra ID that prove themselves with what they hold: a secret or a certificate."""

import logging
from abc import abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msal  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lkps.credentials.credential import Blocking
from lkps.credentials.entra import EntraApplication, issued_token
from lkps.credentials.http import Watched
from lkps.errors import ConfigurationError

logger = logging.getLogger("lkps")


@dataclass(frozen=True)
class Confidential(Blocking):
    """Its subclasses say with what the application proves itself."""

    application: EntraApplication

    @abstractmethod
    def _proof(self) -> object:
        """As MSAL wants it."""

    def _ask(self) -> str:
        with self.application.asking(self._http):
            answer: dict[str, Any] = self._client.acquire_token_for_client([self.application.scope])
        token = issued_token(answer, self._http)
        if answer.get("token_source") != "cache":
            client = {"client_id": self.application.client_id}
            logger.info("Entra ID issued an access token", extra=client)
        return token

    def _forget(self) -> None:
        with self.application.asking(self._http):
            self._client.remove_tokens_for_client()

    @cached_property
    def _http(self) -> Watched:
        return Watched()

    @cached_property
    def _client(self) -> msal.ConfidentialClientApplication:
        return self.application.confidential_client(self._proof(), self._http)


@dataclass(frozen=True)
class ClientSecret(Confidential):
    """An application that proves itself with a client secret."""

    client_secret: str = field(repr=False)

    def _proof(self) -> object:
        return self.client_secret


@dataclass(frozen=True)
class ClientCertificate(Confidential):
    """An application that proves itself with a PEM file of a certificate and its private key."""

    certificate_path: Path

    def _proof(self) -> object:
        try:
            pem = self.certificate_path.read_text()
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"AZURE_CLIENT_CERTIFICATE_PATH: {error}") from error
        if not _is_whole(pem.encode()):
            raise ConfigurationError(
                f"AZURE_CLIENT_CERTIFICATE_PATH: {self.certificate_path} must hold a certificate"
                " and its private key, without a password (PEM)"
            )
        return {"private_key": pem, "public_certificate": pem}


def _is_whole(pem: bytes) -> bool:
    try:
        x509.load_pem_x509_certificate(pem)
        load_pem_private_key(pem, None)
    except (TypeError, ValueError):
        return False
    return True
