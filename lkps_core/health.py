"""Whether the service can do its work: every dependency asked, at most once in five seconds."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lkps_core.errors import Refusal
from lkps_core.freshness import Fresh
from lkps_core.ports import Probe

_PROBE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """`states` says of each dependency `ready`, or the code of what is wrong with it."""

    states: Mapping[str, str]

    @property
    def ready(self) -> bool:
        return all(state == "ready" for state in self.states.values())


class Health:
    def __init__(self, probes: Mapping[str, Probe], monotonic: Callable[[], float]) -> None:
        self._probes = probes
        self._known = Fresh[str, Readiness](self._ask_all, monotonic)
        self._asking = asyncio.Lock()

    async def readiness(self) -> Readiness:
        async with self._asking:  # many questions at once are one question
            return await self._known.get("all")

    async def _ask_all(self, _: str) -> Readiness:
        states = await asyncio.gather(*(self._ask(probe) for probe in self._probes.values()))
        return Readiness(dict(zip(self._probes, states, strict=True)))

    async def _ask(self, probe: Probe) -> str:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await probe()
        except TimeoutError:
            return "timeout"
        except Refusal as refusal:
            return refusal.code
        return "ready"
