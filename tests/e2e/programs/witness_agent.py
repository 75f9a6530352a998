"""An agent that tells whoever asks on the topic "witness" what it knows of who asked."""

import asyncio
import json
import os

from livekit import rtc
from livekit.agents import JobContext, cli

from lkps import AgentServer

server = AgentServer(num_idle_processes=1, port=0, load_fnc=lambda: 0.0)


@server.rtc_session(agent_name=os.environ["ECHO_AGENT_NAME"])
async def witness(ctx: JobContext) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def testify(asked_by: rtc.RemoteParticipant) -> None:
        known = {
            "identity": asked_by.identity,
            "name": asked_by.name,
            "metadata": asked_by.metadata,
            "attributes": asked_by.attributes,
        }
        await ctx.room.local_participant.publish_data(json.dumps(known), topic="witness")

    @ctx.room.on("data_received")
    def on_data(packet: rtc.DataPacket) -> None:
        if packet.topic == "witness" and packet.participant is not None:
            task = asyncio.create_task(testify(packet.participant))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
