"""The command `make up`: the platform in the foreground, until it is interrupted."""

import asyncio
import fcntl
import os
import signal
import sys
from pathlib import Path

from dev.platform.description import described
from dev.platform.interrupts import run
from dev.platform.overrides import SettingsMissing, plan_of
from dev.platform.part import PartFailed
from dev.platform.places import LOGS, ROOT, STATE
from dev.platform.plan import Plan
from dev.platform.platform import Platform
from dev.platform.starting import started

DESCRIPTION = STATE / "platform.json"


def main() -> int:
    try:
        plan = plan_of(os.environ)
    except SettingsMissing as problem:
        return _refuse(str(problem))
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "platform.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _refuse(f"a platform is up already: {_relative(DESCRIPTION)} describes it")
        return _serve(plan)


def _serve(plan: Plan) -> int:
    try:
        status = run(_up(plan))
    except PartFailed as failure:
        return _refuse(str(failure))
    # To be interrupted from the keyboard is how it is meant to end.
    return 0 if status == 128 + signal.SIGINT else status


async def _up(plan: Plan) -> None:
    async with started(plan) as platform:
        with described(platform, DESCRIPTION):
            _announce(platform)
            await _until_a_part_ends(platform)


def _announce(platform: Platform) -> None:
    settings = platform.settings
    lines = (
        ("LKPS", platform.lkps_url),
        ("LiveKit", settings["LKPS_LIVEKIT_URL"]),
        ("authority", settings["LKPS_AUTHORITY"]),
        ("tenant", settings["LKPS_TENANT_ID"]),
        ("audience", settings["LKPS_API_CLIENT_ID"]),
        ("identities", f"and how each gets a token: {_relative(DESCRIPTION)}"),
        ("logs", f"{_relative(LOGS)}/"),
    )
    for name, value in lines:
        print(f"{name:<11} {value}")
    print("Ctrl-C ends it.", flush=True)


async def _until_a_part_ends(platform: Platform) -> None:
    while True:
        for part in platform.parts:
            part.require_alive()
        await asyncio.sleep(1)


def _relative(path: Path) -> Path:
    return path.relative_to(ROOT)


def _refuse(problem: str) -> int:
    print(f"make up: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
