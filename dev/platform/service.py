"""LKPS on the Functions host's stand-in."""

import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from dev.platform.environment import bare_environment
from dev.platform.http import answers_ok
from dev.platform.part import Part
from dev.platform.places import ROOT
from dev.platform.ports import HOST
from dev.platform.processes import Command

_LONGEST_RUN = aiohttp.ClientTimeout(total=120)  # `functionTimeout` of host.json


class Service(Part):
    """One process of the service; `app` is the folder with its `host.json`.

    With `timers` they run on their schedules; else only when they are fired.
    """

    def __init__(
        self,
        logs: Path,
        port: int,
        settings: Mapping[str, str],
        *,
        app: Path,
        name: str = "service",
        timers: bool = False,
    ) -> None:
        argv = (sys.executable, "-m", "dev.functions_host", str(app), "--port", str(port))
        scheduled = ("--timers",) if timers else ()
        environment = bare_environment() | dict(settings)
        super().__init__(name, Command((*argv, *scheduled), environment, ROOT), logs)
        self.port = port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def fire(self, name: str) -> None:
        """Runs the timer now, and returns when it has run; raises `PartFailed`."""
        url = f"{self.url}/admin/functions/{name}?wait"
        try:
            async with (
                aiohttp.ClientSession(timeout=_LONGEST_RUN) as session,
                session.post(url) as response,
            ):
                outcome = f"{response.status} {await response.text()}"
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self.failure(f"did not tell how the timer {name} ran") from error
        if response.status != 200:
            raise self.failure(f"failed the timer {name} ({outcome})")

    async def is_ready(self) -> bool:
        return await answers_ok(f"{self.url}/api/health/ready")
