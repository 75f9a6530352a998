"""A real `python -m dev.functions_host`, started on a free port and ended by its id."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
_LISTENING = re.compile(r"Listening on http://127\.0\.0\.1:(\d+)")


@dataclass
class HostProcess:
    process: Process
    port: int = 0
    log: list[str] = field(default_factory=list)
    _reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, app_dir: Path, *options: str, environment: Mapping[str, str] | None = None
    ) -> "HostProcess":
        """Answers once it listens; whoever starts one stops it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "dev.functions_host", str(app_dir), "--port", "0", *options),
            cwd=CHECKOUT,
            env=environment,
            stderr=PIPE,
        )
        host = cls(process)
        host._reading = asyncio.create_task(host._read_log())
        try:
            host.port = int((await host.logged(_LISTENING))[1])
        except BaseException:
            await host.stop()
            raise
        return host

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def text(self) -> str:
        return "".join(self.log)

    async def logged(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """Waits for a line; fails when the process ends without it."""
        async with asyncio.timeout(30):
            while True:
                if found := re.search(pattern, self.text):
                    return found
                assert self.process.returncode is None, self.text
                await asyncio.sleep(0.01)

    async def ended(self) -> int:
        async with asyncio.timeout(30):
            status = await self.process.wait()
            if self._reading is not None:
                await self._reading
        return status

    async def stop(self) -> int:
        if self.process.returncode is None:
            self.process.terminate()
        return await self.ended()

    async def _read_log(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log.append(line.decode())
