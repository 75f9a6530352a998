"""One part of the platform: a process that can be killed, paused and started again in its place."""

from pathlib import Path

from dev.platform.conditions import holds_within
from dev.platform.logs import Log
from dev.platform.processes import GRACE_SECONDS, ChildProcess, Command

READY_SECONDS = 60.0


class PartFailed(Exception):  # noqa: N818  the domain's word
    """A part ended, was not ready in time, or failed what it was asked for.

    The message ends with its log's end.
    """


class Part:
    """Every start has the same ports and settings; parts say when they are ready in `is_ready`."""

    ready_seconds = READY_SECONDS

    def __init__(self, name: str, command: Command, logs: Path) -> None:
        self.name = name
        self._command = command
        self._log_path = logs / f"{name}.log"
        self._log: Log | None = None
        self._process: ChildProcess | None = None

    async def is_ready(self) -> bool:
        raise NotImplementedError

    def launch(self) -> None:
        """Starts the process without waiting until it is ready."""
        if self._process is not None:
            raise RuntimeError(f"{self.name} is running")
        if self._log is None:
            self._log = Log(self._log_path)
        self._process = ChildProcess(self._command, self._log)

    async def until_ready(self) -> None:
        """Raises `PartFailed`."""
        if not await holds_within(self.ready_seconds, self._has_exited_or_is_ready):
            raise self.failure(f"is not ready after {self.ready_seconds:.0f} s")
        self.require_alive()

    def require_alive(self) -> None:
        """Raises `PartFailed` when it ended by itself."""
        if not self.is_alive:
            raise self.failure("ended")

    async def start(self) -> None:
        """Raises `PartFailed`; the process is then still to be ended."""
        self.launch()
        await self.until_ready()

    async def end(self) -> None:
        """Ends the process as its operator would, by force when it takes too long."""
        await self._end(GRACE_SECONDS)

    async def kill(self) -> None:
        """Ends the process at once: it cannot close, save or say goodbye."""
        await self._end(0)

    def pause(self) -> None:
        """Stops the process where it is: its ports take connections and nothing answers."""
        self._running.pause()

    def resume(self) -> None:
        self._running.resume()

    async def restart(self) -> None:
        """Starts it again, ended or not; returns when it is ready."""
        await self.end()
        await self.start()

    async def dispose(self) -> None:
        """Ends the process and gives its log file back."""
        await self.end()
        if self._log is not None:
            self._log.close()
            self._log = None

    @property
    def is_alive(self) -> bool:
        return self._process is not None and not self._process.has_exited()

    @property
    def pid(self) -> int:
        return self._running.pid

    def printed(self) -> str:
        """All that it printed, at every start."""
        return self._log.text() if self._log else ""

    def failure(self, what: str) -> PartFailed:
        end = self._log.tail() if self._log else ""
        return PartFailed(f"{self.name} {what}; the end of {self._log_path}:\n{end}")

    @property
    def _running(self) -> ChildProcess:
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process

    async def _end(self, grace: float) -> None:
        if self._process is not None:
            await self._process.end(grace)
            self._process = None

    async def _has_exited_or_is_ready(self) -> bool:
        return not self.is_alive or await self.is_ready()
