"""An agent that echoes: data goes back to its sender on the topic "echo", audio goes back as audio.

    python examples/echo_agent.py start

It holds no LiveKit key: `AZURE_*` says who it is, `LKPS_*` where LKPS is.
"""

import asyncio
import os

from livekit import rtc
from livekit.agents import AutoSubscribe, JobContext, cli

from lkps import AgentServer

SAMPLE_RATE = 48_000
PERSON = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD

server = AgentServer(
    num_idle_processes=1,
    port=0,  # of the health server: a fixed one is for whoever asks it
    # for tests on busy machines, where an honest agent would refuse the job
    load_fnc=(lambda: 0.0) if os.environ.get("ECHO_AGENT_ALWAYS_ACCEPT") == "1" else None,
)


@server.rtc_session(agent_name=os.environ.get("ECHO_AGENT_NAME", "echo"))
async def echo(ctx: JobContext) -> None:
    tasks: set[asyncio.Task[None]] = set()

    def start(work: asyncio.Task[None]) -> None:
        tasks.add(work)
        work.add_done_callback(tasks.discard)

    @ctx.room.on("data_received")
    def on_data(packet: rtc.DataPacket) -> None:
        # nobody is named while the sender is new to the room, so callers repeat until answered
        if packet.participant is not None and packet.participant.kind == PERSON:
            start(asyncio.create_task(echo_data(ctx.room, packet)))

    @ctx.room.on("track_subscribed")
    def on_track(
        track: rtc.Track, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if isinstance(track, rtc.RemoteAudioTrack) and participant.kind == PERSON:
            start(asyncio.create_task(echo_audio(ctx.room, track)))

    await ctx.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)


async def echo_data(room: rtc.Room, packet: rtc.DataPacket) -> None:
    if packet.participant is not None:
        await room.local_participant.publish_data(
            packet.data, destination_identities=[packet.participant.identity], topic="echo"
        )


async def echo_audio(room: rtc.Room, heard: rtc.RemoteAudioTrack) -> None:
    """Until the caller stops publishing."""
    source = rtc.AudioSource(SAMPLE_RATE, 1)
    spoken = rtc.LocalAudioTrack.create_audio_track("echo", source)
    publication = await room.local_participant.publish_track(spoken)
    stream = rtc.AudioStream(heard, sample_rate=SAMPLE_RATE, num_channels=1)
    try:
        async for event in stream:
            await source.capture_frame(event.frame)
    finally:
        await stream.aclose()
        await room.local_participant.unpublish_track(publication.sid)
        await source.aclose()


if __name__ == "__main__":
    cli.run_app(server)
