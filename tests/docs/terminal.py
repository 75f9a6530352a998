"""A terminal in which the blocks of a guide are run, one after the other."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.docs.pages import ROOT, Block

_END = "the end of a block of the guide"


@asynccontextmanager
async def running(
    *argv: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=folder,
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        await process.communicate()
        with suppress(ProcessLookupError):  # what a page that failed left in the background
            os.killpg(process.pid, signal.SIGTERM)


@asynccontextmanager
async def terminal(
    blocks: Sequence[Block],
    *,
    until: str = "",
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[str]:
    """Runs the blocks, and gives what the last of them printed.

    With `until`, the last goes on for ever, and has done its work once it prints that. A block that
    fails, or shows something else than it prints, is an AssertionError.
    """
    script = "".join(f"{block.commands}\nprintf '\\n{_END}\\n'\n" for block in blocks)
    argv = ("bash", "-c", f"set -e\n{script}")
    async with running(*argv, folder=folder, environment=environment) as shell:
        printed = ""
        for block in blocks:
            last = until if until and block is blocks[-1] else _END
            printed, was_reached = await _printed_until(last, shell)
            assert was_reached, f"this fails:\n{block.commands}\n{printed}"
            assert block.shows(printed), f"shown is {block.shown}\nand not:\n{printed}"
        yield printed


async def _printed_until(last: str, shell: Process) -> tuple[str, bool]:
    """What was printed before the line that has `last`, and whether there was one."""
    assert shell.stdout is not None
    printed = ""
    while line := (await shell.stdout.readline()).decode():
        if last in line:
            return printed, True
        printed += line
    return printed, False
