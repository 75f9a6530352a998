"""Printing: answers on stdout, all else on stderr; nothing is cut off, or taken for markup."""

import json
import sys
from collections.abc import Callable, Iterable
from typing import TextIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from lkps.cli.answers import Json

_UNBOUNDED = 10_000
_LABEL = "dim"


def show(*parts: RenderableType) -> None:
    _print(sys.stdout, parts)


def tell(*parts: RenderableType) -> None:
    """For people only: not part of what a program reads."""
    _print(sys.stderr, parts)


def show_answer(
    body: Json, view: Callable[[Json], Iterable[RenderableType]], *, as_json: bool
) -> None:
    """For programs what LKPS answered, whole; for people the view of it."""
    if as_json:
        sys.stdout.write(to_json(body))
    else:
        show(*view(body))


def to_json(body: Json) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def table(*headings: str) -> Table:
    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def details(rows: Iterable[tuple[str, object]]) -> Table:
    """Labels with their values; a list has a line for each of its items."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    made.add_column(style=_LABEL)
    made.add_column(overflow="fold")
    for label, value in rows:
        made.add_row(f"  {label}", text(value))
    return made


def text(value: object, style: str = "") -> Text:
    """What came over the wire may not steer the terminal."""
    if isinstance(value, Text):
        return value
    return Text(_written(value), style=style)


def unbroken(value: str, style: str = "") -> Text:
    """An id that stays in one piece on a narrow terminal, so that it can be copied."""
    made = text(value, style)
    made.no_wrap = True
    return made


def _written(value: object) -> str:
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "\n".join(map(_written, value))
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in str(value))


def _print(stream: TextIO, parts: Iterable[RenderableType]) -> None:
    width = None if stream.isatty() else _UNBOUNDED  # a program reads whole lines
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap))
    stream.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
