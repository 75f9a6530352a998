"""Measuring: so many requests of one subject at so many at once, and what they took."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import psutil

type Request = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured; `pids` are the processes whose CPU time counts as its own.

    `afterwards` puts away what a round made, so that the next subject meets the same machine.
    """

    name: str
    request: Request
    pids: Sequence[int]
    afterwards: Request | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """Times in milliseconds; throughput in answers a second."""

    p50: float
    p99: float
    throughput: float
    cpu: float
    errors: int


async def run(subject: Subject, *, at_once: int, requests: int) -> Round:
    """One round. A request that raises counts as an error and not into the times."""
    took: list[float] = []
    errors = 0
    left = iter(range(requests))

    async def worker() -> None:
        nonlocal errors
        for _ in left:
            began = time.perf_counter()
            try:
                await subject.request()
            except Exception:  # noqa: BLE001  whatever it is, it is counted and shown
                errors += 1
            else:
                took.append(1e3 * (time.perf_counter() - began))

    cpu_before, began = _cpu_seconds(subject.pids), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    elapsed = time.perf_counter() - began
    cpu = 1e3 * (_cpu_seconds(subject.pids) - cpu_before) / requests
    if subject.afterwards is not None:
        await subject.afterwards()
    if len(took) < 2:
        return Round(float("nan"), float("nan"), 0.0, cpu, errors)
    return Round(median(took), quantiles(took, n=100)[98], len(took) / elapsed, cpu, errors)


async def interleaved(
    subjects: Sequence[Subject], *, at_once: int, requests: int, rounds: int
) -> Mapping[str, list[Round]]:
    """Every subject in every round, so that what drifts on the machine drifts for all of them."""
    measured: dict[str, list[Round]] = {subject.name: [] for subject in subjects}
    for _ in range(rounds):
        for subject in subjects:
            measured[subject.name].append(await run(subject, at_once=at_once, requests=requests))
    return measured


def middle(rounds: Sequence[Round]) -> Round:
    """The median of each figure over the rounds."""
    return Round(
        p50=median(one.p50 for one in rounds),
        p99=median(one.p99 for one in rounds),
        throughput=median(one.throughput for one in rounds),
        cpu=median(one.cpu for one in rounds),
        errors=sum(one.errors for one in rounds),
    )


def _cpu_seconds(pids: Sequence[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(one.user + one.system for one in times)
