"""A caller in a room: sends data, speaks a tone, and listens to what comes back."""

import asyncio
import math
from contextlib import suppress

import numpy as np
from livekit import rtc

from tests.sdk.parts.waiting import eventually

_RATE = 48_000
_FRAME = _RATE // 100


class Caller:
    """Joins with a participant token; what came back on the topic "echo" is in `echoes`."""

    def __init__(self) -> None:
        self._room = rtc.Room()
        self._speaking: asyncio.Task[None] | None = None
        self._heard: asyncio.Future[rtc.RemoteAudioTrack] = (
            asyncio.get_running_loop().create_future()
        )
        self.echoes: list[bytes] = []
        self._room.on("data_received", self._keep)
        self._room.on("track_subscribed", self._listen)

    async def join(self, url: str, token: str) -> None:
        await self._room.connect(url, token)

    async def leave(self) -> None:
        if self._speaking is not None:
            self._speaking.cancel()
            with suppress(asyncio.CancelledError):
                await self._speaking
        await self._room.disconnect()

    async def is_echoed(self, payload: bytes) -> None:
        """Sends until it is answered: what comes before the agent knows the sender is ignored."""

        async def answered() -> bool:
            await self._room.local_participant.publish_data(payload, topic="question")
            return payload in self.echoes

        await eventually(answered)

    async def speak(self, hertz: float) -> None:
        source = rtc.AudioSource(_RATE, 1, queue_size_ms=100)
        track = rtc.LocalAudioTrack.create_audio_track("voice", source)
        await self._room.local_participant.publish_track(track)
        self._speaking = asyncio.create_task(_tone(source, hertz))

    async def loudest_frequency(self) -> float:
        """Of one second of what comes back, once it is loud."""
        stream = rtc.AudioStream(await self._heard, sample_rate=_RATE, num_channels=1)
        samples: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
        async for event in stream:
            frame = np.frombuffer(event.frame.data, dtype=np.int16)
            if samples or np.abs(frame).max() > 1000:
                samples.append(frame)
            if sum(map(len, samples)) >= _RATE:
                break
        await stream.aclose()
        second = np.concatenate(samples)[:_RATE] * np.hanning(_RATE)
        return float(np.argmax(np.abs(np.fft.rfft(second))))

    def _keep(self, packet: rtc.DataPacket) -> None:
        if packet.topic == "echo":
            self.echoes.append(packet.data)

    def _listen(self, track: rtc.Track, *_: object) -> None:
        if isinstance(track, rtc.RemoteAudioTrack) and not self._heard.done():
            self._heard.set_result(track)


async def _tone(source: rtc.AudioSource, hertz: float) -> None:
    start = 0
    while True:
        moments = np.arange(start, start + _FRAME) / _RATE
        wave = (8000 * np.sin(2 * math.pi * hertz * moments)).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(wave.tobytes(), _RATE, 1, _FRAME))
        start += _FRAME
