"""Imports: how much longer an interpreter starts with the SDK, beside with aiohttp."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

_BARE = "pass"
_SDK = "import lkps"
_REFERENCE = "import aiohttp"


@dataclass(frozen=True, slots=True)
class Imports:
    """Medians in milliseconds, without what a bare interpreter takes."""

    sdk: float
    reference: float

    @property
    def ratio(self) -> float:
        return self.sdk / self.reference


def imports(*, rounds: int) -> Imports:
    """Interleaved, each in an interpreter of its own, after one round that compiles."""
    programs = (_BARE, _SDK, _REFERENCE)
    _, *timed = (
        {program: _milliseconds(program) for program in programs} for _ in range(1 + rounds)
    )
    return Imports(median(_added(timed, _SDK)), median(_added(timed, _REFERENCE)))


def _added(timed: Sequence[Mapping[str, float]], program: str) -> Iterator[float]:
    return (one[program] - one[_BARE] for one in timed)


def _milliseconds(program: str) -> float:
    began = perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return 1e3 * (perf_counter() - began)
