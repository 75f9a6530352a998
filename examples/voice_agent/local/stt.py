"""Speech to text by pocketsphinx, on this machine's processor."""

import asyncio
from collections.abc import Iterable
from typing import Never

from livekit import rtc
from livekit.agents import APIConnectOptions, LanguageCode, NotGivenOr, stt, utils
from livekit.agents.types import NOT_GIVEN

from .answers import ANSWERS
from .sphinx import SAMPLE_RATE, Listener


class STT(stt.STT[Never]):
    """Hears `sentences`, by default those that have an answer. An `AgentSession` adds the VAD."""

    def __init__(self, sentences: Iterable[str] = ANSWERS) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self._listener = Listener(sentences)
        self._one_at_a_time = asyncio.Lock()

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        async with self._one_at_a_time:
            text = await asyncio.to_thread(self._listener.hear, _pcm(buffer))
        return stt.SpeechEvent(
            type=stt.SpeechEventType.FINAL_TRANSCRIPT,
            alternatives=[stt.SpeechData(language=LanguageCode("en"), text=text)],
        )


def _pcm(buffer: utils.AudioBuffer) -> bytes:
    frame = rtc.combine_audio_frames(buffer)
    if frame.sample_rate == SAMPLE_RATE:
        return bytes(frame.data)
    resampler = rtc.AudioResampler(frame.sample_rate, SAMPLE_RATE)
    return b"".join(bytes(one.data) for one in [*resampler.push(frame), *resampler.flush()])
