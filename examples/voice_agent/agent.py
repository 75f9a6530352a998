"""A voice agent: it hears a sentence and says another, by plug-ins that the environment names.

    python examples/voice_agent/agent.py dev

It holds no LiveKit key: `AZURE_*` says who it is, `LKPS_*` where LKPS is.
"""

import logging
import os
from pkgutil import resolve_name

from livekit.agents import Agent, AgentSession, JobContext, cli, inference

import lkps
from lkps import AgentServer

# read here, so that a wrong name ends the program at its start
STT = resolve_name(os.environ.get("VOICE_STT", "local.stt:STT"))
LLM = resolve_name(os.environ.get("VOICE_LLM", "local.llm:LLM"))
TTS = resolve_name(os.environ.get("VOICE_TTS", "local.tts:TTS"))

GREETING = "Hello, what would you like to know?"
GOODBYE = "We have to end soon, goodbye!"

logger = logging.getLogger("voice")
server = AgentServer(num_idle_processes=1)  # the plug-ins are loaded before the call


@server.rtc_session(agent_name=os.environ.get("VOICE_AGENT_NAME", "voice"))
async def voice(ctx: JobContext) -> None:
    talk = AgentSession[None](
        stt=STT(),
        llm=LLM(),
        tts=TTS(),
        # both are on this machine, and need no download
        vad=inference.VAD(min_silence_duration=0.5),
        turn_handling={"turn_detection": "vad", "interruption": {"mode": "vad"}},
    )

    async def say_goodbye(seconds_left: float) -> None:
        if seconds_left < 90:  # the first warning is five minutes before
            await talk.say(GOODBYE)

    lkps.session(ctx).on_ending(say_goodbye)
    await talk.start(Agent(instructions="Answer in one short sentence."), room=ctx.room)
    caller = lkps.caller(await ctx.wait_for_participant())
    if caller is not None:
        logger.info("called", extra={"by": caller.client_app_id, "user": caller.user_oid})
    await talk.say(GREETING)


if __name__ == "__main__":
    cli.run_app(server)
