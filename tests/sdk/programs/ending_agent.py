"""An agent whose jobs end as their dispatch's metadata says."""

import asyncio
import math
import os
import signal
import sys

from livekit.agents import JobContext, JobExecutorType, JobProcess, cli

from lkps import AgentServer

EXECUTOR = os.environ.get("EXECUTOR", "forkserver")


HOW_TO_START = os.environ.get("HOW_TO_START")


def warm_up(_: JobProcess) -> None:
    if HOW_TO_START == "raise":
        raise RuntimeError("the text of an exception")
    if HOW_TO_START == "exit":
        sys.exit(3)


server = AgentServer(
    num_idle_processes=0,
    port=0,
    load_fnc=lambda: 0.0,
    load_threshold=math.inf,  # else all rooms at once are too much for it
    setup_fnc=warm_up,
    drain_timeout=int(os.environ.get("DRAIN_SECONDS", "3600")),
    initialize_process_timeout=60 if HOW_TO_START is None else 1,
    job_executor_type=JobExecutorType.THREAD if EXECUTOR == "thread" else JobExecutorType.PROCESS,
    multiprocessing_context="spawn" if EXECUTOR == "spawn" else "forkserver",
)


async def linger(ctx: JobContext) -> None:
    if ctx.job.metadata == "raise and linger":
        await asyncio.Event().wait()


@server.rtc_session(agent_name="ending", on_session_end=linger)
async def end(ctx: JobContext) -> None:
    if ctx.job.metadata in BEFORE_JOINING:
        BEFORE_JOINING[ctx.job.metadata]()
    await ctx.connect()
    print(f"job process {os.getpid()} is in {ctx.room.name}", flush=True)  # noqa: T201
    await IN_THE_ROOM[ctx.job.metadata](ctx)


def fail() -> None:
    raise RuntimeError("the text of an exception")


async def fail_in_the_room(_: JobContext) -> None:
    fail()


async def leave_by_exit(_: JobContext) -> None:
    sys.exit(0)


async def die(_: JobContext) -> None:
    os._exit(3)


async def be_killed(_: JobContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def shut_down(ctx: JobContext) -> None:
    ctx.shutdown("all is said")


async def shut_down_and_die(ctx: JobContext) -> None:
    async def die_late() -> None:
        os._exit(3)

    ctx.add_shutdown_callback(die_late)
    ctx.shutdown("all is said")


async def fail_without_a_room(ctx: JobContext) -> None:
    while ctx.room.isconnected():  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    fail()


async def stay(_: JobContext) -> None:
    return


async def wait(_: JobContext) -> None:
    await asyncio.Event().wait()


BEFORE_JOINING = {"raise at once": fail, "exit at once": sys.exit}
IN_THE_ROOM = {
    "raise": fail_in_the_room,
    "raise and linger": fail_in_the_room,
    "exit": leave_by_exit,
    "die": die,
    "be killed": be_killed,
    "shut down": shut_down,
    "shut down and die": shut_down_and_die,
    "fail without a room": fail_without_a_room,
    "stay": stay,
    "wait": wait,
}


if __name__ == "__main__":
    cli.run_app(server)
