"""A newcomer: an empty folder, the SDK's wheel, and the values that the platform team gives."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dev.platform import Platform
from dev.platform.environment import bare_environment
from tests.docs.pages import ROOT, Block, blocks
from tests.sdk.parts.distributions import built

_PACKAGE_SOURCES = ("PIP_", "UV_", "NPM_CONFIG_", "npm_config_")


@dataclass(frozen=True)
class Newcomer:
    """`given` are the guide's placeholders and what stands there for this reader."""

    folder: Path
    environment: Mapping[str, str]
    given: Mapping[str, str]

    def reads(self, page: str) -> list[Block]:
        """The page's blocks of commands, with this reader's own values."""
        return [replace(block, commands=self._own(block.commands)) for block in blocks(ROOT / page)]

    def _own(self, commands: str) -> str:
        for placeholder, value in self.given.items():
            commands = commands.replace(placeholder, value)
        return commands


def newcomer(folder: Path, platform: Platform) -> Newcomer:
    """Signs in as Alice, in the stand-in's browser without a screen."""
    tenant = platform.tenant.description
    home, tools, wheels = folder / "home", folder / "tools", folder / "wheels"
    for one in (home, tools, wheels):
        one.mkdir()
    (tools / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    built(wheels)
    trust = f"export REQUESTS_CA_BUNDLE={tenant.ca_file}"
    return Newcomer(
        home,
        {
            **bare_environment(),
            **{name: os.environ[name] for name in os.environ if name.startswith(_PACKAGE_SOURCES)},
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PIP_FIND_LINKS": str(wheels),
            "PYTHONUNBUFFERED": "1",
            "LKPS_CONFIG_DIR": str(folder / "kept"),
            "LKPS_AUTHORITY": tenant.authority_https,
            "BROWSER": f"env PYTHONPATH={ROOT} {sys.executable} -m dev.tenant.browser %s &",
        },
        {
            # not before: pip would trust nobody else
            "lkps login": f"{trust}\nlkps login",
            "https://gateway.example/lkps": platform.lkps_url,
            "https://login.microsoftonline.com": tenant.authority_https,
            "PAGE_CLIENT_ID": tenant.public_clients["crm-frontend"],
            "API_CLIENT_ID": platform.audience,
            "--client-id CLIENT_ID": f"--client-id {tenant.public_clients['cli']}",
            "TENANT_ID": platform.tenant_id,
            "you@example.com": "alice@lkps.example",
        },
    )
