"""Holds, as people read them."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import details, unbroken
from lkps.cli.views.words import when


def holds(answer: Json) -> Iterable[RenderableType]:
    if not answer["holds"]:
        yield Text("There is no hold.")
    for number, one in enumerate(answer["holds"]):
        if number:
            yield Text()
        yield from hold(one)


def hold(one: Json) -> Iterable[RenderableType]:
    yield unbroken(one["id"], "bold")
    yield details(
        [
            ("keeps", one["subject"]),
            ("reason", one["reason"]),
            ("placed", f"{when(one['placed_at'])} by {one['placed_by']['oid']}"),
        ]
    )
