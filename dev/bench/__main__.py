"""`make bench`: LKPS beside its references, at 1, 16 and 64 at once, and its cold start."""

import argparse
import asyncio
from collections.abc import Mapping

from dev.bench.cold_start import HELLO_APP, cold_starts
from dev.bench.grouping import Counting, Grouping
from dev.bench.imports import imports
from dev.bench.policy import decision_microseconds
from dev.bench.questions import ROWS, first_pages
from dev.bench.report import Measured, Results, show, write
from dev.bench.rounds import interleaved, run
from dev.bench.sessions import measured_sessions
from dev.bench.subjects import START, subjects
from dev.bench.trail import verified_a_second
from dev.platform import Platform, running
from dev.platform.conditions import holds_within
from dev.platform.http import answers_ok
from dev.platform.part import READY_SECONDS
from dev.platform.places import LOGS, STATE
from dev.platform.ports import Ports
from dev.platform.service import Service

REQUESTS = {1: 200, 16: 480, 64: 960}
WARM_UP = 1000
CONDITIONS = "byte code compiled, dependencies running and warm"


async def bench(rounds: int) -> Results:
    counting = Counting()
    # No events: what ends a thousand rooms at once would be measured as the next subject's time.
    async with running(node_options=counting.node_options, webhook="") as platform:
        measured, grouping = await _load(platform, counting, rounds)
        cold = await cold_starts(platform, rounds=rounds)
    pages, sessions = await first_pages(ROWS), await measured_sessions()
    return Results(
        measured,
        grouping,
        cold,
        decision_microseconds(),
        verified_a_second(),
        pages,
        sessions,
        imports(rounds=4 * rounds),
    )


async def _load(
    platform: Platform, counting: Counting, rounds: int
) -> tuple[Mapping[int, Measured], Grouping]:
    hello = Service(LOGS, Ports().free(), {}, app=HELLO_APP, name="hello")
    try:
        hello.launch()
        hello_url = f"{hello.url}/api/hello"
        await holds_within(READY_SECONDS, lambda: answers_ok(hello_url))
        async with subjects(platform, hello_url, counting.settled) as measured:
            for subject in measured:
                await run(subject, at_once=16, requests=WARM_UP)
            load = {
                at_once: await interleaved(
                    measured, at_once=at_once, requests=requests, rounds=rounds
                )
                for at_once, requests in REQUESTS.items()
            }
            [start] = [subject for subject in measured if subject.name == START]
            most = max(REQUESTS)
            grouping = await counting.grouping(start, at_once=most, requests=REQUESTS[most])
            return load, grouping
    finally:
        await hello.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    results = asyncio.run(bench(parser.parse_args().rounds))
    show(results, CONDITIONS)
    write(results, STATE / "bench.json")


if __name__ == "__main__":
    main()
