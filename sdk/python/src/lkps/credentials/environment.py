"""What the environment says of who calls, and of whom Entra ID is asked for."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lkps.credentials.entra import PUBLIC_AUTHORITY, EntraApplication

EVERYTHING = ".default"
"""Of an application all its roles; of a person all scopes that the client is granted."""


@dataclass(frozen=True)
class Environment:
    """A variable that is empty is not said. `user_scope` is what a person is asked to allow."""

    variables: Mapping[str, str] = field(repr=False)
    user_scope: str = EVERYTHING

    def get(self, name: str) -> str:
        return self.variables.get(name, "")

    def missing(self, *names: str) -> list[str]:
        return [name for name in names if not self.get(name)]

    def scope(self, name: str = EVERYTHING) -> str:
        return f"{self.get('LKPS_API_CLIENT_ID')}/{name}"

    def application(self) -> EntraApplication:
        """The program's own, which asks for what it was assigned."""
        return self._entra("AZURE_CLIENT_ID", EVERYTHING)

    def people(self) -> EntraApplication:
        """The public client through which people sign in."""
        return self._entra("LKPS_CLI_CLIENT_ID", self.user_scope)

    def is_signed_in_to_azure(self) -> bool:
        """Whether somebody is, to the Azure CLI, as far as its own file says."""
        home = self.get("HOME") or self.get("USERPROFILE")
        folder = self.get("AZURE_CONFIG_DIR") or (home and f"{home}/.azure")
        if not folder or shutil.which("az", path=self.get("PATH")) is None:
            return False
        try:
            profile = json.loads((Path(folder) / "azureProfile.json").read_text("utf-8-sig"))
        except (OSError, ValueError):
            return False
        return isinstance(profile, dict) and bool(profile.get("subscriptions"))

    def _entra(self, client: str, scope: str) -> EntraApplication:
        authority = self.get("LKPS_AUTHORITY") or self.get("AZURE_AUTHORITY_HOST")
        return EntraApplication(
            tenant_id=self.get("AZURE_TENANT_ID"),
            client_id=self.get(client),
            scope=self.scope(scope),
            authority=authority.rstrip("/") or PUBLIC_AUTHORITY,
        )
