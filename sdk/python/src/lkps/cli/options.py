"""Options and arguments that several commands share, and what they accept."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from lkps.cli.answers import Json
from lkps.cli.instants import instant

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Mode(StrEnum):
    OPEN = "open"
    GRANTED = "granted"
    CLOSED = "closed"


@dataclass(frozen=True)
class Given:
    """An option that was given; `none` takes away what is there."""

    value: object


def given(**options: object) -> Json:
    """The members to send: those of the options that were given."""
    return {
        name: option.value if isinstance(option, Given) else option
        for name, option in options.items()
        if option is not None
    }


def guid(value: str) -> str:
    lowered = value.strip().lower()
    if not _GUID.fullmatch(lowered):
        raise typer.BadParameter(
            "an id of Entra ID looks like 00000000-0000-0000-0000-000000000000"
        )
    return lowered


def until(value: str) -> Given:
    try:
        return Given(instant(value))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def count(value: str) -> Given:
    return Given(_whole(value))


def minutes(value: str) -> Given:
    """In the API's seconds."""
    return Given(60 * _whole(value))


def or_none(parse: Callable[[str], Given]) -> Callable[[str], Given]:
    def parse_or_none(value: str) -> Given:
        return Given(None) if value == "none" else parse(value)

    return parse_or_none


def require_one(options: Mapping[str, object], *, at_least: int = 1) -> None:
    """Refuses more than one of the options, and fewer than `at_least`."""
    said = [name for name, value in options.items() if value]
    if len(said) > 1 or len(said) < at_least:
        quantity = "exactly one" if at_least else "at most one"
        raise typer.BadParameter(f"give {quantity} of {', '.join(options)}")


def examples(*lines: str) -> str:
    return "\n".join(("[bold]Examples[/bold]" if lines[1:] else "[bold]Example[/bold]", *lines))


def _whole(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise typer.BadParameter("write a whole number, 1 or more")
    return int(value)


UNTIL = "When it ends: RFC 3339, or a date, which means the end of that day in UTC."

AsJson = Annotated[
    bool, typer.Option("--json", help="Print LKPS's answer as JSON, and nothing else.")
]
Result = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")]
CheckpointKey = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="TEXT|@FILE", help="The checkpoint key: what `lkps audit key` prints."
    ),
]
AgentName = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's name.")]
GrantId = Annotated[str, typer.Argument(metavar="GRANT_ID", help="As `lkps grants list` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for whoever reads it in a year.")]
