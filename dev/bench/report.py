"""The results: a table for people, the same as JSON for programs."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from dev.bench.cold_start import ColdStarts
from dev.bench.grouping import Grouping
from dev.bench.imports import Imports
from dev.bench.questions import FirstPages
from dev.bench.rounds import Round, middle
from dev.bench.sessions import LOST, OPEN, Sessions
from dev.bench.subjects import BARE_INSERT, CREATE_ROOM, INSERT, REGISTER, START

type Measured = Mapping[str, list[Round]]


@dataclass(frozen=True, slots=True)
class Results:
    """`measured` has the rounds by how many requests were made at once; `decision` is in µs.

    `grouping` is of session starts at the most of them; `verified` are the rows of an export
    that are verified in a second.
    """

    measured: Mapping[int, Measured]
    grouping: Grouping
    cold: ColdStarts
    decision: float
    verified: float
    pages: FirstPages
    sessions: Sessions
    imports: Imports

    def as_json(self) -> dict[str, Any]:
        return {
            "load": {
                str(at_once): {
                    name: {**asdict(middle(rounds)), "ratio": ratio(measured, name)}
                    for name, rounds in measured.items()
                }
                for at_once, measured in self.measured.items()
            },
            "grouping": asdict(self.grouping),
            "decision_microseconds": self.decision,
            "verified_a_second": self.verified,
            "first_pages": asdict(self.pages),
            "sessions": asdict(self.sessions),
            "imports": {**asdict(self.imports), "ratio": self.imports.ratio},
            "cold_start": {**asdict(self.cold), "ratio": self.cold.ratio},
            "targets": [asdict(target) for target in self.targets()],
        }

    def targets(self) -> list["Target"]:
        alone, many = self.measured[min(self.measured)], self.measured[max(self.measured)]
        registration = _of_rounds(alone, REGISTER, lambda one, of: one.p50 / of[INSERT].p50)
        throughput = _of_rounds(many, START, lambda one, of: of[INSERT].throughput / one.throughput)
        return [
            Target("session start, p50 at 1, to its slower reference", ratio(alone, START), 2.0),
            Target("registration, p50 at 1, to one insert", registration, 1.5),
            Target("inserts a second to starts a second, at 64", throughput, 1.0),
            Target(
                "requests that write a start's two rows, at 64", self.grouping.writes_a_start, 2.0
            ),
            Target("cold start, to hello world's", self.cold.ratio, 2.0),
            Target("a decision for a client with 100 grants, in µs", self.decision, 50.0),
            Target("µs to verify a row of an export", 1e6 / self.verified, 10.0),
            *(
                Target(f"first page {name}, {self.pages.rows:,} rows, in s", seconds, 2.0)
                for name, seconds in self.pages.seconds.items()
            ),
            Target(f"a sweep over {OPEN:,} open sessions, in s", self.sessions.sweep_seconds, 60.0),
            Target("MiB by which the service grows in a sweep", self.sessions.growth, 20.0),
            Target("ms to import the SDK", self.imports.sdk, 150.0),
        ]


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio, or where it says so a time, that is to be at most `limit`."""

    what: str
    ratio: float
    limit: float


def ratio(measured: Measured, name: str) -> float:
    """p50 to the slower reference's of the same round: the median of the rounds' own ratios."""
    return _of_rounds(
        measured, name, lambda one, of: one.p50 / max(of[CREATE_ROOM].p50, of[INSERT].p50)
    )


def _of_rounds(
    measured: Measured, name: str, compare: Callable[[Round, Mapping[str, Round]], float]
) -> float:
    """The median over the rounds of one subject compared with the others of the same round."""
    places = range(len(measured[name]))
    others = [{other: rounds[place] for other, rounds in measured.items()} for place in places]
    return median(compare(measured[name][place], others[place]) for place in places)


def show(results: Results, conditions: str) -> None:
    console = Console()
    for at_once, measured in results.measured.items():
        console.print(_table(f"{at_once} at once", measured))
    for line in _grouped(results.grouping, results.measured[max(results.measured)]):
        console.print(line)
    sessions, cold = results.sessions, results.cold
    console.print(
        f"start to agent in the room: p50 {sessions.agent_p50:.0f} ms,"
        f" p99 {sessions.agent_p99:.0f} ms; a sweep: {OPEN / sessions.sweep_seconds:.0f} open"
        f" sessions a second, {sessions.ending_seconds:.1f} s where {LOST} of them ended"
    )
    console.print(
        f"cold start to the first answer: hello {cold.hello:.0f} ms, "
        f"session start {cold.session:.0f} ms, ratio {cold.ratio:.2f} ({conditions})"
    )
    imports = results.imports
    console.print(
        f"import of the SDK {imports.sdk:.0f} ms, of aiohttp {imports.reference:.0f} ms, "
        f"ratio {imports.ratio:.2f}"
    )
    for target in results.targets():
        verdict = "met" if target.ratio <= target.limit else "MISSED"
        console.print(f"{verdict:7}{target.what}: {target.ratio:.2f} (at most {target.limit})")


def _grouped(grouping: Grouping, measured: Measured) -> Iterator[str]:
    starts, insert, bare = (
        middle(measured[name]).throughput for name in (START, INSERT, BARE_INSERT)
    )
    yield f"{starts:.0f} starts a second, beside {insert:.0f} single inserts, {bare:.0f} bare"
    for table, one in grouping.tables.items():
        yield (
            f"{one.rows} rows of {table} for {grouping.starts} starts: "
            f"{one.transactions} transactions and {one.insertions} single inserts"
        )
    reads = ", ".join(f"{many} {kind}" for kind, many in grouping.others.items())
    yield f"beside them: {reads or 'nothing'}"


def write(results: Results, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results.as_json(), indent=2) + "\n")


def _table(title: str, measured: Measured) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("subject")
    for name in ("p50 ms", "p99 ms", "a second", "CPU ms", "errors", "to slower reference"):
        table.add_column(name, justify="right")
    for name, rounds in measured.items():
        table.add_row(name, *_figures(middle(rounds)), f"{ratio(measured, name):.2f}")
    return table


def _figures(one: Round) -> Sequence[str]:
    return (
        f"{one.p50:.2f}",
        f"{one.p99:.2f}",
        f"{one.throughput:.0f}",
        f"{one.cpu:.2f}" if one.cpu else "",
        str(one.errors),
    )
