"""Sessions, as people read them."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import details, table, text, unbroken
from lkps.cli.views.words import when

_COLOURS = {"joined": "green", "absent": "red", "offline": "red", "ended": "dim"}


def sessions(answer: Json) -> Iterable[RenderableType]:
    if not answer["sessions"]:
        yield Text("No session that you may see.")
        return
    made = table("SESSION", "STATE", "AGENT", "DISPATCHES", "CREATED", "ENDED", "CAUSE")
    for one in answer["sessions"]:
        made.add_row(
            unbroken(one["session_id"], "bold"),
            _coloured(one["state"]),
            _agent(one),
            text(one["agent_dispatches"]),
            text(when(one["created_at"])),
            text(when(one.get("ended_at"))),
            text(one.get("cause")),
        )
    yield made


def session(one: Json) -> Iterable[RenderableType]:
    yield unbroken(one["session_id"], "bold")
    yield details(
        [
            ("state", _coloured(one["state"])),
            ("cause", one.get("cause")),
            ("room", one["room_name"]),
            ("as", one["participant_identity"]),
            ("agent", _agent(one)),
            ("dispatched", _times(one["agent_dispatches"])),
            ("created", when(one["created_at"])),
            ("joined", when(one.get("joined_at"))),
            ("ended" if one.get("ended_at") else "ends", when(one.get("ended_at", one["ends_at"]))),
        ]
    )
    if one.get("agent_jobs"):
        yield Text()
        yield _jobs(one["agent_jobs"])


def _agent(one: Json) -> Text:
    said = _coloured(one["agent_status"])
    if one.get("agent_outcome"):
        said.append_text(text(f", one {one['agent_outcome']} before"))
    return said


def _coloured(word: str) -> Text:
    return text(word, _COLOURS.get(word, ""))


def _times(dispatches: int) -> str:
    return "once" if dispatches == 1 else f"{dispatches} times"


def _jobs(jobs: list[Json]) -> Table:
    made = table("JOB", "OUTCOME", "REASON", "INSTANCE")
    for one in jobs:
        made.add_row(
            text(one["participant_identity"]),
            text(one["outcome"]),
            text(one.get("reason")),
            text(one.get("registration_id")),
        )
    return made
