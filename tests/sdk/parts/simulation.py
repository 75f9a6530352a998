"""Many tasks in virtual time: it goes on once all of them sleep, and costs nothing."""

import asyncio
import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from lkps.retries import Clock
from tests.sdk.parts.registrar import START

_ROUNDS = 15  # of the event loop, in which whoever woke up comes to sleep again


@dataclass
class Simulation:
    """`seconds` have passed; chance is the seed's."""

    seed: int = 1
    seconds: float = 0.0
    _sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _slept: int = 0

    def clock(self) -> Clock:
        return Clock(now=self.now, sleep=self.sleep, chance=Random(self.seed).random)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._slept += 1
        heapq.heappush(self._sleepers, (self.seconds + seconds, self._slept, woken))
        await woken

    async def run(self, until: float) -> None:
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self.seconds, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
                await self._settle()
        self.seconds = until

    async def _settle(self) -> None:
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
