"""An agent that says one tone, 440 Hz, and says that it speaks."""

import math
import os
from array import array

from livekit import rtc
from livekit.agents import JobContext, JobExecutorType, cli
from livekit.agents.types import ATTRIBUTE_AGENT_STATE

from lkps import AgentServer

HERTZ = 440
SAMPLE_RATE = 48_000
SAMPLES = SAMPLE_RATE // 10  # of a frame: whole waves, so that frames follow without a click

server = AgentServer(
    num_idle_processes=0,
    port=0,
    load_fnc=lambda: 0.0,
    job_executor_type=JobExecutorType.THREAD,
)


@server.rtc_session(agent_name=os.environ["ECHO_AGENT_NAME"])
async def speak(ctx: JobContext) -> None:
    await ctx.connect()
    source = rtc.AudioSource(SAMPLE_RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("tone", source)
    await ctx.room.local_participant.publish_track(track)
    await ctx.room.local_participant.set_attributes({ATTRIBUTE_AGENT_STATE: "speaking"})
    wave = (math.sin(2 * math.pi * HERTZ * one / SAMPLE_RATE) for one in range(SAMPLES))
    tone = array("h", (round(12_000 * one) for one in wave)).tobytes()
    while ctx.room.isconnected():
        await source.capture_frame(rtc.AudioFrame(tone, SAMPLE_RATE, 1, SAMPLES))


if __name__ == "__main__":
    cli.run_app(server)
