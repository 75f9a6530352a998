"""The least agent there is: no process kept warm, so that it is there in a moment."""

from livekit.agents import JobContext, cli

from lkps import AgentServer

server = AgentServer(num_idle_processes=0, port=0, load_fnc=lambda: 0.0)


@server.rtc_session(agent_name="bare")
async def join(ctx: JobContext) -> None:
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
