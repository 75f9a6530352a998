"""An agent that ends as it is told to on the topic "do", and is silent otherwise."""

import asyncio
import os
import signal

from livekit import rtc
from livekit.agents import JobContext, cli

from lkps import AgentServer

server = AgentServer(num_idle_processes=1, port=0, load_fnc=lambda: 0.0)


@server.rtc_session(agent_name=os.environ["ECHO_AGENT_NAME"])
async def obey(ctx: JobContext) -> None:
    if ctx.job.metadata == "raise before joining":
        once_only(ctx.room.name)
    orders: asyncio.Queue[str] = asyncio.Queue()

    @ctx.room.on("data_received")
    def on_data(packet: rtc.DataPacket) -> None:
        if packet.topic == "do":
            orders.put_nowait(packet.data.decode())

    await ctx.connect()
    order = await orders.get()
    if order == "raise":
        raise RuntimeError(order)
    if order == "be killed":
        os.kill(os.getpid(), signal.SIGKILL)
    ctx.shutdown(order)


def once_only(room_name: str) -> None:
    """The first job in a room fails."""
    path = os.path.join(os.environ["OBEDIENT_AGENT_FOLDER"], room_name)  # noqa: PTH118
    if not os.path.exists(path):  # noqa: PTH110
        os.mkdir(path)  # noqa: PTH102
        raise RuntimeError("the first of the room")


if __name__ == "__main__":
    cli.run_app(server)
