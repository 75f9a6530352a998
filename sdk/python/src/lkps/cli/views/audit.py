"""Rows of the audit trail, as people and spreadsheets read them."""

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import table, text
from lkps.cli.views.words import when

_MEMBER_OF = {"agent": "agent_name", "client-app": "azp"}
_STYLES = {"success": "green", "refused": "yellow", "failed": "bold red"}
_FIRST = (
    *("at", "action", "outcome", "reason", "agent_name", "kind", "tid", "oid", "azp"),
    *("session_id", "subject", "comment", "rule", "grant_id", "count", "request_id"),
    *("stream", "number"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def answer(found: Json) -> Iterable[RenderableType]:
    return _counts(found) if "counts" in found else _rows(found)


def counted(found: Json, by: str) -> Json:
    """How often each of them is there; a row that stands for repeats counts as often as they."""
    counts: Counter[str] = Counter()
    for row in found["rows"]:
        counts[str(row.get(_MEMBER_OF.get(by, by), ""))] += int(row.get("count", 1))
    return {"by": by, "counts": dict(counts.most_common())}


def write_csv(found: Json) -> None:
    """A line for each row, or each count. No cell is a formula to a spreadsheet."""
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerows([_cell(one) for one in line] for line in _lines(found))


def _lines(found: Json) -> Iterator[list[object]]:
    if "counts" in found:
        yield [found["by"], "count"]
        yield from ([name, count] for name, count in found["counts"].items())
        return
    others = {name for row in found["rows"] for name in row}.difference(_FIRST)
    columns = [*_FIRST, *sorted(others)]
    yield list(columns)
    yield from ([row.get(name, "") for name in columns] for row in found["rows"])


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _rows(found: Json) -> Iterator[RenderableType]:
    if not found["rows"]:
        yield Text("No row that you may see.")
        return
    made = table("AT", "ACTION", "OUTCOME", "REASON", "AGENT", "WHO", "THROUGH", "WHAT")
    for row in found["rows"]:
        made.add_row(
            text(_time(row)),
            text(row["action"], "bold"),
            text(row["outcome"], _STYLES.get(row["outcome"], "")),
            text(row.get("reason")),
            text(row.get("agent_name")),
            text(row.get("oid")),
            text(row.get("azp")),
            text(row.get("session_id") or row.get("subject") or row.get("grant_id")),
        )
    yield made


def _time(row: Json) -> str:
    """To the second; a row that stands for repeats says how many."""
    at = str(when(row["at"])).partition(".")[0].removesuffix("Z")
    return f"{at}Z" + (f" x{row['count']}" if "count" in row else "")


def _counts(found: Json) -> Iterator[RenderableType]:
    if not found["counts"]:
        yield Text("No row that you may see.")
        return
    made = table(found["by"].upper(), "COUNT")
    for name, count in found["counts"].items():
        made.add_row(text(name), text(count))
    yield made
