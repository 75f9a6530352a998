"""Modes: the ways to prove who calls, in their order. The README has the same table."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lkps.credentials import signs
from lkps.credentials.applications import ClientCertificate, ClientSecret
from lkps.credentials.attended import Attended
from lkps.credentials.azure_cli import AzureCli
from lkps.credentials.credential import Credential
from lkps.credentials.environment import Environment
from lkps.credentials.federated import GitHubActions, WorkloadIdentity
from lkps.credentials.login import login
from lkps.credentials.managed_identity import ManagedIdentity
from lkps.credentials.person import InMemory, Person, SignIn
from lkps.credentials.sign_ins import announce_on_stderr, by_browser, by_device_code
from lkps.profile import kept_profile, profile_folder

_TENANT, _CLIENT = "AZURE_TENANT_ID", "AZURE_CLIENT_ID"
_PEOPLES_CLIENT = "LKPS_CLI_CLIENT_ID"
_SECRET = "AZURE_CLIENT_SECRET"  # noqa: S105  the name of the variable
_CERTIFICATE = "AZURE_CLIENT_CERTIFICATE_PATH"
_FEDERATED = "AZURE_FEDERATED_TOKEN_FILE"
_GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
_IDENTITY = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")


@dataclass(frozen=True)
class Mode:
    """A way to prove who calls.

    `sign` says why it is taken by itself, and is empty when nothing speaks for it. `missing` has
    what it lacks besides LKPS's own variables.
    """

    name: str
    sign: signs.Sign
    missing: signs.Needs
    credential: Callable[[Environment], Credential]

    @property
    def is_automatic(self) -> bool:
        return self.sign is not signs.never


def _login(asked: Environment) -> Credential:
    folder = profile_folder(asked.variables)
    return login(kept_profile(asked.variables), folder, asked.user_scope)


def _attended(asked: Environment, way: SignIn) -> Credential:
    return Attended(Person(asked.people(), InMemory()), way)


MODES = (
    Mode(
        "client-secret",
        signs.variables(_SECRET),
        signs.needs(_TENANT, _CLIENT, _SECRET),
        lambda asked: ClientSecret(asked.application(), asked.get(_SECRET)),
    ),
    Mode(
        "certificate",
        signs.variables(_CERTIFICATE),
        signs.needs(_TENANT, _CLIENT, _CERTIFICATE),
        lambda asked: ClientCertificate(asked.application(), Path(asked.get(_CERTIFICATE))),
    ),
    Mode(
        "workload-identity",
        signs.variables(_FEDERATED),
        signs.needs(_TENANT, _CLIENT, _FEDERATED),
        lambda asked: WorkloadIdentity(asked.application(), Path(asked.get(_FEDERATED))),
    ),
    Mode(
        "github",
        signs.variables(*_GITHUB, _CLIENT),
        signs.needs(_TENANT, _CLIENT, *_GITHUB),
        lambda asked: GitHubActions(asked.application(), *map(asked.get, _GITHUB)),
    ),
    Mode(
        "managed-identity",
        signs.variables(*_IDENTITY),
        signs.needs(),
        lambda asked: ManagedIdentity(asked.scope(), asked.get(_CLIENT) or None),
    ),
    Mode("login", signs.login, signs.login_needs, _login),
    Mode(
        "azure-cli",
        signs.azure_cli,
        signs.azure_cli_needs,
        lambda asked: AzureCli(asked.scope(), asked.get(_TENANT)),
    ),
    Mode(
        "device-code",
        signs.never,
        signs.needs(_TENANT, _PEOPLES_CLIENT),
        lambda asked: _attended(asked, by_device_code(announce_on_stderr)),
    ),
    Mode(
        "browser",
        signs.never,
        signs.needs(_TENANT, _PEOPLES_CLIENT),
        lambda asked: _attended(asked, by_browser(announce_on_stderr)),
    ),
)
"""In the order in which the first that something speaks for is taken."""
