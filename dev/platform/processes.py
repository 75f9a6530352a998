"""The life of a child process: it ends when it is told to, and with its parent whatever happens."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dev.platform.conditions import holds_within
from dev.platform.logs import Log

GRACE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: `environment` is all that it has, `ending` the signal at which it ends well."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: Path
    ending: signal.Signals = signal.SIGTERM


class ChildProcess:
    """One run of a command, in a session of its own.

    It belongs to no event loop. On Linux the kernel kills it when the thread that started it ends.
    """

    def __init__(self, command: Command, log: Log) -> None:
        self._ending = command.ending
        self._popen = subprocess.Popen(
            command.argv,
            cwd=command.directory,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=log.file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent(),
        )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; None until `end` has seen the process end."""
        return self._popen.returncode

    def has_exited(self) -> bool:
        # Not `poll`, which reaps: until then the pid, so the group's number, cannot be another's.
        return self._popen.returncode is not None or bool(
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        )

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    async def end(self, grace: float = GRACE_SECONDS) -> None:
        """Ends the process and all its group, by force after `grace` seconds, at once when 0."""
        if self._popen.returncode is not None:
            return
        if grace:
            self._send(self._ending)
            self._send(signal.SIGCONT)
            await holds_within(grace, self.has_exited)
        self._send(signal.SIGKILL)
        await holds_within(GRACE_SECONDS, self.has_exited)
        self._popen.wait(GRACE_SECONDS)
        await holds_within(1, self._group_is_gone)

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # macOS refuses it for a zombie
            os.killpg(self.pid, number)

    def _group_is_gone(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


def _die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    return partial(_ask_kernel_to_kill, ctypes.CDLL(None).prctl, os.getpid())


def _ask_kernel_to_kill(prctl: Callable[[int, int], int], parent: int) -> None:
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)
