"""Agents, as people read them."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import details, table, text
from lkps.cli.views.words import limits, mode, object_ids, when


def agents(answer: Json) -> Iterable[RenderableType]:
    if not answer["agents"]:
        yield Text("No agent that you may see.")
        return
    made = table("AGENT", "MODE", "LIMITS", "OWNERS", "CONTACT", "BEAT")
    for one in answer["agents"]:
        made.add_row(
            text(one["name"], "bold"),
            mode(one),
            text(_limits(one)),
            text(len(one["owners"])),
            text(one.get("contact")),
            text(one.get("beat_id")),
        )
    yield made


def owners(one: Json) -> Iterable[RenderableType]:
    yield text(object_ids(one["owners"]))


def agent(one: Json) -> Iterable[RenderableType]:
    yield text(one["name"], "bold")
    yield details(
        [
            ("mode", mode(one)),
            ("limits", _limits(one)),
            ("owners", object_ids(one["owners"])),
            ("runners", object_ids(one["runners"])),
            ("contact", one.get("contact")),
            ("BEAT", one.get("beat_id")),
            ("created", when(one["created_at"])),
            ("routing", f"version {one['routing_version']}"),
            ("online", _online(one["instances"])),
        ]
    )
    if one["instances"]:
        yield Text()
        yield _instances(one["instances"])


def rotated(one: Json) -> Iterable[RenderableType]:
    yield text(f"{one['agent_name']}: {one['detail']}")
    yield details(
        [
            ("routing", f"version {one['routing_version']}"),
            ("before", _before(one.get("previous_routing_version"))),
            ("to move", _count(one["instances_to_move"])),
            ("outage", f"{one['outage_seconds']} s at most" if one["outage_seconds"] else "none"),
        ]
    )


def _before(version: int | None) -> str | None:
    return None if version is None else f"version {version}, until they have moved"


def _limits(one: Json) -> str:
    return limits(one.get("max_sessions"), one.get("max_session_seconds"))


def _online(instances: list[Json]) -> str:
    return _count(len(instances))


def _count(instances: int) -> str:
    return f"{instances} instance{'s' * (instances != 1)}"


def _instances(instances: list[Json]) -> Table:
    made = table("INSTANCE", "VERSION", "ROUTING", "SINCE", "LEASE UNTIL", "LABELS")
    for one in instances:
        labels = [f"{key}={value}" for key, value in one["labels"].items()]
        made.add_row(
            text(one.get("instance") or one["registration_id"]),
            text(one.get("version")),
            text(one["routing_version"]),
            text(when(one["registered_at"])),
            text(when(one["lease_until"])),
            text(" ".join(labels)),
        )
    return made
