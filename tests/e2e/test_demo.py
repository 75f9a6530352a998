"""`make demo`: the whole path to its end, and nothing left behind whenever it is interrupted."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process

import psutil
import pytest

from dev.platform.conditions import holds_within
from dev.platform.places import ROOT

STEPS = (
    "starts",
    "gets an Entra access token",
    "registers with LKPS",
    "its worker is connected",
    "POST /api/session/start",
    "joins the room",
    "the agent is there",
    "data there and back",
    "audio there and back",
    "its job's process is killed",
    "another agent is there",
    "data there and back",
    "is disconnected: the room is gone",
    "is stopped, and deregisters",
    "reads the trail",
    "agent.registered",
    "session.authorized",
    "session.job_ended",
    "session.dispatched",
    "session.ended",
    "agent.deregistered",
    "signs a checkpoint",
    "rows as they were signed, 0 findings",
    "stops",
)


async def _demo() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dev.demo", cwd=ROOT, stdout=PIPE, stderr=PIPE, start_new_session=True
    )


async def test_the_demonstration_shows_every_step_and_ends_well() -> None:
    demo = await _demo()
    output, errors = await asyncio.wait_for(demo.communicate(), 100)
    assert (demo.returncode, errors) == (0, b"")
    at = 0
    for step in STEPS:
        at = output.decode().index(step, at)
    assert re.search(r"440 Hz sent, 4(3[5-9]|4[0-5]) Hz heard", output.decode())


@pytest.mark.parametrize("shown", [0, 1, 4, 8])
async def test_an_interrupted_demonstration_leaves_no_process(shown: int) -> None:
    demo = await _demo()
    assert demo.stdout is not None
    for _ in range(shown):
        await demo.stdout.readline()
    assert await holds_within(30, lambda: bool(_descendants(demo.pid)))
    left = _descendants(demo.pid)
    os.kill(demo.pid, signal.SIGINT)
    await asyncio.wait_for(demo.communicate(), 30)
    assert demo.returncode == 128 + signal.SIGINT
    assert await holds_within(5, lambda: not any(one.is_running() for one in left))


def _descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)
