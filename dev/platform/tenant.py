"""The stand-in for the Entra ID tenant, as a part of the platform."""

import sys
from pathlib import Path

from dev.platform.environment import bare_environment
from dev.platform.part import Part
from dev.platform.places import ROOT
from dev.platform.processes import Command
from dev.tenant.description import Tenant


class TenantStandIn(Part):
    """Ids, secrets and keys are kept in `state`, so they are the same after a restart."""

    def __init__(self, logs: Path, state: Path, http: int, https: int) -> None:
        ports = ("--http-port", str(http), "--https-port", str(https))
        argv = (sys.executable, "-m", "dev.tenant", "--state", str(state), *ports)
        super().__init__("tenant", Command(argv, bare_environment(), ROOT), logs)
        self._written = state / "tenant.json"
        self._description: Tenant | None = None

    @property
    def description(self) -> Tenant:
        """What it says of itself, known once it was ready; raises `RuntimeError` before."""
        if self._description is None:
            raise RuntimeError("the tenant was never ready")
        return self._description

    @property
    def settings(self) -> dict[str, str]:
        return {
            "LKPS_AUTHORITY": self.description.authority,
            "LKPS_TENANT_ID": self.description.tenant_id,
            "LKPS_API_CLIENT_ID": self.description.audience,
        }

    def launch(self) -> None:
        self._written.unlink(missing_ok=True)  # a killed one leaves it behind
        super().launch()

    async def is_ready(self) -> bool:
        if not self._written.exists():
            return False
        self._description = Tenant.load(self._written)
        return True
