"""`lkps` as people and applications run it, against the real LKPS or without any."""

from pathlib import Path

from dev.platform import Platform
from tests.sdk.cli.parts.command import Ran
from tests.sdk.cli.parts.program import run


class Commands:
    """Each call runs the command once, and expects the exit code `code`."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self._platform = platform
        self._folder = folder

    async def __call__(self, who: str, *arguments: str, code: int = 0) -> Ran:
        """As an application of the tenant."""
        environment = self._platform.agent_environment(who)
        return await self._run(environment, self._folder, *arguments, code=code)

    async def offline(self, *arguments: str, code: int = 0) -> Ran:
        """On a machine that knows of no LKPS."""
        return await self._run({}, self._folder / "offline", *arguments, code=code)

    async def _run(
        self, environment: dict[str, str], folder: Path, *arguments: str, code: int
    ) -> Ran:
        ran = await run({**environment, "LKPS_CONFIG_DIR": str(folder)}, *arguments)
        assert ran.code == code, ran
        return ran
