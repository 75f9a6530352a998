"""An agent that logs all there is, and writes down the environment that its job sees.

With metadata, its job raises.
"""

import json
import logging
import math
import os
from pathlib import Path

from livekit.agents import JobContext, cli

from lkps import AgentServer

LOG = Path(os.environ["CONFIDING_FOLDER"]) / f"{os.getpid()}.log"
logging.basicConfig(level=logging.DEBUG, filename=LOG)
for name in ("aiohttp", "asyncio", "livekit", "livekit.agents", "lkps", "urllib3"):
    logging.getLogger(name).setLevel(logging.DEBUG)

server = AgentServer(num_idle_processes=0, port=0, load_fnc=lambda: 0.0, load_threshold=math.inf)


@server.rtc_session(agent_name="confiding")
async def join(ctx: JobContext) -> None:
    LOG.with_suffix(".environ").write_text(json.dumps(dict(os.environ)))
    logging.getLogger("livekit").debug("the job is %s", ctx.job)
    await ctx.connect()
    if ctx.job.metadata:
        raise RuntimeError(ctx.job.metadata)


if __name__ == "__main__":
    cli.run_app(server)
