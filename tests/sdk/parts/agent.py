"""An agent as its own program, started as a user starts it, in a session of its own."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.sdk.parts.livekit import ROOT
from tests.sdk.parts.waiting import eventually

_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass
class Agent:
    """A started agent; its output is in a file, so that nothing of it is lost."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    async def says(self, text: str, times: int = 1) -> None:
        await eventually(lambda: self.output.count(text) >= times or self._dead())
        assert self.output.count(text) >= times, self.output

    async def is_connected(self, times: int = 1) -> None:
        await self.says('"registered worker"', times)

    async def stop(self) -> int:
        """Its exit status after it was told to end."""
        self.tell_to_end()
        return await self.ended()

    def tell_to_end(self) -> None:
        """As an orchestrator does."""
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        return await asyncio.wait_for(self.process.wait(), 20)

    def environments(self) -> list[bytes]:
        """The environment of the agent's process and of every process below it."""
        worker = psutil.Process(self.process.pid)
        tree = [worker, *worker.children(recursive=True)]
        return [Path(f"/proc/{one.pid}/environ").read_bytes() for one in tree]

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    def _dead(self) -> bool:
        return self.process.returncode is not None


@dataclass
class AgentLauncher:
    """Starts agents with an environment that holds what is given and nothing of the tests' own.

    `python` has the SDK, or finds it in `source`.
    """

    folder: Path
    environment: dict[str, str]
    python: str = sys.executable
    source: str = str(ROOT / "sdk/python/src")
    agents: list[Agent] = field(default_factory=list)

    async def echo(self, *arguments: str) -> Agent:
        """The example, with a warm process for its job."""
        return await self.start("examples/echo_agent.py", *arguments)

    async def bare(self, *arguments: str, **changes: str) -> Agent:
        return await self.start("tests/sdk/programs/bare_agent.py", *arguments, **changes)

    async def start(self, program: str, *arguments: str, **changes: str) -> Agent:
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= {"PYTHONPATH": self.source, **self.environment, **changes}
        log = self.folder / f"agent-{len(self.agents)}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                self.python,
                str(ROOT / program),
                *(arguments or ("start",)),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        agent = Agent(process, log)
        self.agents.append(agent)
        return agent

    async def stop(self) -> None:
        for agent in self.agents:
            await agent.kill()
