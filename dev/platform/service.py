"""LKPS on the Functions host's stand-in."""

import sys
from collections.abc import Mapping
from pathlib import Path

from dev.platform.environment import bare_environment
from dev.platform.http import answers_ok
from dev.platform.part import Part
from dev.platform.places import ROOT
from dev.platform.ports import HOST
from dev.platform.processes import Command


class Service(Part):
    """One process of the service; `app` is the folder with its `host.json`."""

    def __init__(
        self,
        logs: Path,
        port: int,
        settings: Mapping[str, str],
        *,
        app: Path,
        name: str = "service",
    ) -> None:
        argv = (sys.executable, "-m", "dev.functions_host", str(app), "--port", str(port))
        environment = bare_environment() | dict(settings)
        super().__init__(name, Command(argv, environment, ROOT), logs)
        self.port = port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def is_ready(self) -> bool:
        return await answers_ok(f"{self.url}/api/health/ready")
