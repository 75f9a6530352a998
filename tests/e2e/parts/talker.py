"""A guest who talks: speaks sentences into the room, and understands what the agent says."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from livekit import rtc
from livekit.agents import inference, stt

from examples.voice_agent.local.espeak import sample_rate, speak
from examples.voice_agent.local.sphinx import SAMPLE_RATE as EAR_RATE
from examples.voice_agent.local.stt import STT
from tests.e2e.parts.guest import Guest

FRAMES_PER_SECOND = 50


class Talker(Guest):
    """Understands `sentences`; its microphone is open, and silent while it says nothing."""

    def __init__(self, sentences: Iterable[str]) -> None:
        super().__init__()
        self._sentences = tuple(sentences)
        self._to_say = b""
        self._understood: asyncio.Queue[str] = asyncio.Queue()

    async def talk(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._speak())
            both.create_task(self._listen())

    def says(self, sentence: str) -> None:
        self._to_say += speak(sentence)

    async def hears(self) -> str:
        """The next sentence of the agent's."""
        return await asyncio.wait_for(self._understood.get(), 60)

    async def _speak(self) -> None:
        source = rtc.AudioSource(sample_rate(), 1, queue_size_ms=100)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.me.publish_track(track, options)
        samples = sample_rate() // FRAMES_PER_SECOND
        while True:
            spoken, self._to_say = self._to_say[: 2 * samples], self._to_say[2 * samples :]
            frame = rtc.AudioFrame(spoken.ljust(2 * samples, b"\0"), sample_rate(), 1, samples)
            await source.capture_frame(frame)

    async def _listen(self) -> None:
        track = await self._heard.get()
        ear = stt.StreamAdapter(
            stt=STT(self._sentences), vad=inference.VAD(min_silence_duration=0.5)
        )
        async with ear.stream() as recognised, asyncio.TaskGroup() as both:
            both.create_task(_hand_over(track, recognised))
            async for event in recognised:
                if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
                    self._understood.put_nowait(event.alternatives[0].text)


async def _hand_over(track: rtc.RemoteAudioTrack, recognised: stt.RecognizeStream) -> None:
    stream = rtc.AudioStream(track, sample_rate=EAR_RATE, num_channels=1)
    try:
        async for event in stream:
            recognised.push_frame(event.frame)
    finally:
        await stream.aclose()


@asynccontextmanager
async def talking(url: str, token: str, sentences: Iterable[str]) -> AsyncIterator[Talker]:
    talker = Talker(sentences)
    await talker.join(url, token)
    talk = asyncio.create_task(talker.talk())
    try:
        yield talker
    finally:
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
        await talker.leave()
