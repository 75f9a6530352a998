"""An agent that logs all there is, in its worker and in its jobs, and what both hold."""

import asyncio
import logging
import os

from livekit.agents import JobContext, JobProcess, cli

from lkps import AgentServer


def talk() -> None:
    """Loggers that livekit-agents keeps quiet too."""
    logging.getLogger().setLevel(logging.DEBUG)
    for name in [*logging.root.manager.loggerDict]:
        logging.getLogger(name).setLevel(logging.DEBUG)


def warm_up(_: JobProcess) -> None:
    talk()


server = AgentServer(num_idle_processes=1, port=0, load_fnc=lambda: 0.0, setup_fnc=warm_up)


@server.rtc_session(agent_name="talkative")
async def chat(ctx: JobContext) -> None:
    talk()
    asyncio.get_running_loop().set_debug(enabled=True)
    await ctx.connect()
    logging.getLogger("of.the.agent").debug("job %s: %s", ctx, ctx.job.id)
    given = {"AZURE_CLIENT_SECRET"}  # the agent's own, to keep to itself
    environment = {name: os.environ[name] for name in os.environ.keys() - given}
    logging.getLogger("of.the.agent").debug("environment: %s", environment)
    logging.getLogger("of.the.agent").info("the job is in %s", ctx.room.name)


@server.once("worker_started")
def show() -> None:
    talk()
    held = (server, vars(server))
    logging.getLogger("of.the.agent").debug("held: %r", held)


@server.on("worker_registered")
def show_again(*_: object) -> None:
    show()


if __name__ == "__main__":
    talk()
    cli.run_app(server)
