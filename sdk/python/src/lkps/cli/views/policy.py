"""What a policy file changes, and what the linter says of it, as people read them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import text, unbroken

if TYPE_CHECKING:  # it imports YAML
    from lkps.cli.policy_file import PolicyFile

_SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
_DONE = {"create": "created", "update": "changed", "delete": "removed"}


def changes(found: list[Json]) -> Iterator[RenderableType]:
    for one in found:
        sign, style = _SIGNS.get(one["action"], ("?", ""))
        yield unbroken(f"{sign} {_title(one)}", f"bold {style}")
        yield from _members(one)


def planned(found: list[Json]) -> str:
    return (
        f"Plan: {_counted(found, 'to be ')}." if found else "No changes: LKPS is as the file says."
    )


def applied(found: list[Json]) -> str:
    return f"Applied: {_counted(found, '')}."


def linted(found: list[Json]) -> str:
    return f"{len(found)} warning{'s' * (len(found) != 1)}." if found else "No warnings."


def warnings(file: "PolicyFile", found: list[Json]) -> Iterable[RenderableType]:
    for one in found:
        where = f"{file.place(one['pointer'])} {one['pointer']}"
        yield Text.assemble(
            ("warning", "bold yellow"), text(f": {one['detail']} ({one['code']})\n  {where}")
        )


def _counted(found: list[Json], prefix: str) -> str:
    counts = Counter(str(one["action"]) for one in found)
    return ", ".join(
        f"{counts[action]} {prefix}{done}" for action, done in _DONE.items() if counts[action]
    )


def _title(one: Json) -> str:
    if one["kind"] == "grant":
        return f"grant of {one.get('agent_name')}  {one.get('grant_id') or ''}".rstrip()
    return f"{one['kind']} {one.get('agent_name') or ''}".rstrip()


def _members(one: Json) -> Iterator[Text]:
    before, after = one.get("before") or {}, one.get("after") or {}
    for name in dict.fromkeys([*before, *after]):
        line = text(f"    {name}: ", "dim")
        if one["action"] != "update":
            yield line.append_text(_value((after or before)[name]))
        elif isinstance(before.get(name), list) and isinstance(after.get(name), list):
            yield from _items(name, before[name], after[name])
        else:
            line.append_text(_value(before.get(name)).append(" -> "))
            yield line.append_text(_value(after.get(name)))


def _items(name: str, before: list[object], after: list[object]) -> Iterator[Text]:
    """Of a list, only what comes and goes."""
    yield text(f"    {name}:", "dim")
    yield from (text(f"      - {_plain(one)}", "red") for one in before if one not in after)
    yield from (text(f"      + {_plain(one)}", "green") for one in after if one not in before)


def _value(value: object) -> Text:
    return text(_plain(value))


def _plain(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, dict):
        return " ".join(f"{name}={_plain(one)}" for name, one in value.items())
    return str(value)
