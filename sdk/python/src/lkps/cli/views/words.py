"""The words for what several answers hold: times, limits, principals."""

from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import text


def when(at: str | None) -> str | None:
    return None if at is None else at.replace("T", " ")


def limits(sessions: int | None, seconds: int | None) -> str:
    """Empty for none."""
    said = []
    if sessions is not None:
        said.append(f"{sessions} session{'s' * (sessions != 1)} at once")
    if seconds is not None:
        said.append(f"{duration(seconds)} each")
    return ", ".join(said)


def duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if rest:
        return f"{seconds} s"
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"


def object_ids(principals: list[Json]) -> list[str]:
    return [str(one["oid"]) for one in principals]


def mode(agent: Json) -> Text:
    said = text(
        agent["access_mode"], {"open": "green", "closed": "red"}.get(agent["access_mode"], "")
    )
    if agent["report_only"]:
        said.append(", report only", "yellow")
    if agent["blocked"]:
        said.append(", blocked", "bold red")
    return said
