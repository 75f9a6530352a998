"""An agent that prints who called and when it is warned of its session's end.

With metadata it joins once the file of that name is there.
"""

import asyncio
from pathlib import Path

from livekit.agents import JobContext, JobExecutorType, cli

import lkps

server = lkps.AgentServer(
    num_idle_processes=0,
    port=0,
    load_fnc=lambda: 0.0,
    job_executor_type=JobExecutorType.THREAD,
)


@server.rtc_session(agent_name="session")
async def serve(ctx: JobContext) -> None:
    session = lkps.session(ctx)
    session.on_ending(lambda seconds: say(f"{session.id} ends in {round(seconds)} s"))
    while ctx.job.metadata and not Path(ctx.job.metadata).exists():  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.05)
    await ctx.connect()
    guest = await ctx.wait_for_participant()
    say(f"{session.id} {lkps.caller(guest)} {session.ends_at}")


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    cli.run_app(server)
