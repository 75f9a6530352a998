"""An agent that logs all there is and all that it holds, and what its job sees of its environment.

With metadata, its job raises.
"""

import asyncio
import json
import logging
import math
import os
from pathlib import Path

from livekit.agents import JobContext, cli

from lkps import AgentServer

LOG = Path(os.environ["CONFIDING_FOLDER"]) / f"{os.getpid()}.log"
OWN = logging.getLogger("of.the.agent")


def talk() -> None:
    """Loggers that livekit-agents keeps quiet too."""
    for name in [*logging.root.manager.loggerDict]:
        logging.getLogger(name).setLevel(logging.DEBUG)


logging.basicConfig(level=logging.DEBUG, filename=LOG)
talk()

server = AgentServer(num_idle_processes=0, port=0, load_fnc=lambda: 0.0, load_threshold=math.inf)


@server.rtc_session(agent_name="confiding")
async def join(ctx: JobContext) -> None:
    talk()
    asyncio.get_running_loop().set_debug(enabled=True)
    LOG.with_suffix(".environ").write_text(json.dumps(dict(os.environ)))
    OWN.debug("the job is %s: %s", ctx, ctx.job)
    await ctx.connect()
    if ctx.job.metadata:
        raise RuntimeError(ctx.job.metadata)


def show(*_: object) -> None:
    talk()
    OWN.debug("held: %r", (server, vars(server)))


server.once("worker_started", show)
server.on("worker_registered", show)


if __name__ == "__main__":
    cli.run_app(server)
