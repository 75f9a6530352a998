"""A caller in a room: sends data, speaks a tone, and listens to what comes back."""

import asyncio
from contextlib import suppress

import numpy as np
from livekit import rtc

RATE = 48_000
"""Samples a second."""

_FRAME = RATE // 100
_LOUD = 1000


class Caller:
    """Joins with a participant token; data on the topic `echo` is taken for an answer."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.disconnected = asyncio.Event()
        self._echoes: asyncio.Queue[bytes] = asyncio.Queue()
        self._heard: asyncio.Queue[rtc.RemoteAudioTrack] = asyncio.Queue()
        self._speaking: asyncio.Task[None] | None = None
        self.room.on("data_received", self._keep_echo)
        self.room.on("track_subscribed", self._keep_track)
        self.room.on("disconnected", lambda *_: self.disconnected.set())

    async def join(self, url: str, participant_token: str) -> None:
        await self.room.connect(url, participant_token)

    async def leave(self) -> None:
        if self._speaking is not None:
            self._speaking.cancel()
            with suppress(asyncio.CancelledError):
                await self._speaking
        await self.room.disconnect()

    async def exchange(self, payload: bytes) -> bytes:
        """What the agent sends back. Sent again until then: data before the agent hears is lost."""
        while not self._echoes.empty():  # what came twice belongs to an earlier question
            self._echoes.get_nowait()
        while True:
            await self.room.local_participant.publish_data(payload, topic="question")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while (echo := await self._echoes.get()) != payload:
                        pass
                    return echo

    async def speak(self, hertz: float) -> None:
        """A tone, until the caller leaves."""
        source = rtc.AudioSource(RATE, 1, queue_size_ms=100)
        track = rtc.LocalAudioTrack.create_audio_track("voice", source)
        await self.room.local_participant.publish_track(track)
        self._speaking = asyncio.create_task(_tone(source, hertz))

    async def loudest_frequency(self) -> float:
        """In hertz, of one second of what comes back, once it is loud."""
        stream = rtc.AudioStream(await self._heard.get(), sample_rate=RATE, num_channels=1)
        frames: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
        async for event in stream:
            frame = np.frombuffer(event.frame.data, dtype=np.int16)
            if frames or np.abs(frame).max() > _LOUD:
                frames.append(frame)
            if sum(map(len, frames)) >= RATE:
                break
        await stream.aclose()
        second = np.concatenate(frames)[:RATE] * np.hanning(RATE)
        return float(np.argmax(np.abs(np.fft.rfft(second))))

    def _keep_echo(self, packet: rtc.DataPacket) -> None:
        if packet.topic == "echo":
            self._echoes.put_nowait(packet.data)

    def _keep_track(self, track: rtc.Track, *_: object) -> None:
        if isinstance(track, rtc.RemoteAudioTrack):
            self._heard.put_nowait(track)


async def _tone(source: rtc.AudioSource, hertz: float) -> None:
    start = 0
    while True:
        moments = np.arange(start, start + _FRAME) / RATE
        wave = (8000 * np.sin(2 * np.pi * hertz * moments)).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(wave.tobytes(), RATE, 1, _FRAME))
        start += _FRAME
