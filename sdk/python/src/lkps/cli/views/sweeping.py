"""Runs of the sweep, as people read them."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import details, text

_STOPPED = (
    "It stopped: more rooms have no session than is plausible, and none was removed."
    " Are the tables the right ones? --force removes them."
)


def run(one: Json) -> Iterable[RenderableType]:
    yield details(
        [
            ("run", _kind(one)),
            ("began", one["began_at"]),
            ("took", f"{one['seconds']:.1f} s"),
            ("rooms", one["rooms"]),
            ("sessions looked at", one["sessions"]),
            ("sessions ended", _by_cause(one["ended"])),
            ("agents dispatched again", one["agents_dispatched"]),
            ("rooms without a session removed", one["rooms_removed"]),
            ("rows of ended sessions removed", one["rows_removed"]),
            ("silent instances removed", one["leases_ended"]),
            ("blocks that were over removed", one["blocks_removed"]),
            ("left to the next run", one["failed"]),
        ]
    )
    if not one["complete"]:
        yield text("Time was over first: the next run goes on.", "yellow")
    if one["stopped"]:
        yield text(_STOPPED, "red")


def foretold(one: Json) -> Iterable[RenderableType]:
    yield Text("A dry run: nothing was done.")
    yield from run(one)


def runs(answer: Json) -> Iterable[RenderableType]:
    if not answer["runs"]:
        yield Text("It has not run yet.")
    for place, one in enumerate(answer["runs"]):
        if place:
            yield Text()
        yield from run(one)


def _kind(one: Json) -> str:
    return "of everything" if one["kind"] == "full" else "of what is due"


def _by_cause(ended: dict[str, int]) -> str:
    if not ended:
        return "0"
    return ", ".join(f"{many} {cause}" for cause, many in sorted(ended.items()))
