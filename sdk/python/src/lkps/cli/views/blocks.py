"""Blocks, and what they reached, as people read them."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import details, text, unbroken
from lkps.cli.views.words import when


def blocks(answer: Json) -> Iterable[RenderableType]:
    if not answer["revocations"]:
        yield Text("Nothing is blocked.")
    for number, one in enumerate(answer["revocations"]):
        if number:
            yield Text()
        yield unbroken(one["revocation_id"], "bold")
        yield details(
            [
                ("until", _until(one)),
                ("reason", one["reason"]),
                ("blocked", f"{when(one['blocked_at'])} by {one['blocked_by']['oid']}"),
            ]
        )


def blocked(one: Json) -> Iterable[RenderableType]:
    yield Text.assemble(("blocked", "bold red"), text(f": {one['revocation_id']}"))
    found, ended = one["sessions_found"], one["sessions_ended"]
    yield details(
        [
            ("until", _until(one)),
            (
                "sessions",
                f"{ended} of {found} ended" + (", the rest follow" if ended < found else ""),
            ),
        ]
    )
    yield unbroken(f"  lift it with lkps unblock {one['revocation_id']}")
    if one["beyond_reach"]:
        yield Text("\nBeyond its reach:", "bold yellow")
    for beyond in one["beyond_reach"]:
        yield text(f"  {beyond['what']}")
        ends = when(beyond.get("until"))
        yield details(
            [
                ("  ends", ends or "not by itself"),
                ("  see", beyond["runbook"]),
            ]
        )


def _until(one: Json) -> str:
    return when(one.get("until")) or "it is lifted"
