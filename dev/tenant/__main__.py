"""The command `python -m dev.tenant`: serves the stand-in tenant until SIGTERM or SIGINT."""

import argparse
import asyncio
import signal
from pathlib import Path

from dev.tenant.server import Options, loopback, running


def main() -> None:
    asyncio.run(_serve(_options()))


async def _serve(options: Options) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stopped.set)
    async with running(options) as tenant:
        print(f"tenant {tenant.authority}/{tenant.tenant_id} is ready", flush=True)
        await stopped.wait()


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m dev.tenant", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="where ids and keys are kept")
    parser.add_argument("--http-port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--https-port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--host", type=loopback, default="127.0.0.1", help="127.0.0.1 or ::1")
    parser.add_argument(
        "--token-lifetime",
        type=_seconds,
        metavar="SECONDS",
        help="of access tokens; by default 60 to 90 minutes at random, as Entra's",
    )
    parser.add_argument(
        "--single-use-assertions",
        action="store_true",
        help="refuse a client assertion that was used before; MSAL uses each for 9 minutes",
    )
    return Options(**vars(parser.parse_args()))


def _seconds(text: str) -> int:
    seconds = int(text)
    if seconds < 1:
        raise ValueError(text)
    return seconds


if __name__ == "__main__":
    main()
