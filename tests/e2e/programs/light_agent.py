"""An agent whose jobs are threads: many at once cost little."""

import os

from livekit.agents import JobContext, JobExecutorType, cli

from lkps import AgentServer

server = AgentServer(
    num_idle_processes=0,
    port=0,
    load_fnc=lambda: 0.0,
    job_executor_type=JobExecutorType.THREAD,
)


@server.rtc_session(agent_name=os.environ["ECHO_AGENT_NAME"])
async def join(ctx: JobContext) -> None:
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
