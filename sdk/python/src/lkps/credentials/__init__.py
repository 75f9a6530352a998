"""Credentials: as whom LKPS is called, and how that is proved to Entra ID."""

import logging

from lkps.credentials.applications import ClientCertificate, ClientSecret
from lkps.credentials.attended import Attended
from lkps.credentials.azure_cli import AzureCli
from lkps.credentials.azure_core import AzureCredential, TokenCredential
from lkps.credentials.credential import Credential
from lkps.credentials.entra import PUBLIC_AUTHORITY, EntraApplication
from lkps.credentials.federated import GitHubActions, WorkloadIdentity
from lkps.credentials.managed_identity import ManagedIdentity
from lkps.credentials.person import InMemory, NotSignedIn, Person
from lkps.credentials.sign_ins import by_browser, by_device_code

__all__ = [
    "PUBLIC_AUTHORITY",
    "Attended",
    "AzureCli",
    "AzureCredential",
    "ClientCertificate",
    "ClientSecret",
    "Credential",
    "EntraApplication",
    "GitHubActions",
    "InMemory",
    "ManagedIdentity",
    "NotSignedIn",
    "Person",
    "TokenCredential",
    "WorkloadIdentity",
    "by_browser",
    "by_device_code",
]

_MSAL = logging.getLogger("msal")
if _MSAL.level == logging.NOTSET:
    _MSAL.setLevel(logging.INFO)  # at DEBUG it logs codes, and answers that it does not understand
