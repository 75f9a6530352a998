"""Who the caller is taken for, and whether a caller may call an agent, as people read them."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import details, text
from lkps.cli.views.words import duration

_WHO = {
    "you": "you",
    "agent_owner": "an owner of the agent",
    "platform_admin": "an administrator of LKPS",
    "entra_admin": "an administrator of Entra ID",
}


def caller(one: Json) -> Iterable[RenderableType]:
    yield text(f"{_KINDS.get(one['kind'], one['kind'])} {one['oid']}", "bold")
    groups = "too many for the token to name" if one["groups_overage"] else one["groups"]
    yield details(
        [
            ("may", one["permissions"]),
            ("groups", groups),
            ("through", f"application {one['client_app_id']}"),
            ("tenant", one["tid"]),
            ("LKPS", f"{one['installation']} ({one['environment']})"),
        ]
    )


_KINDS = {"app": "application", "user": "user"}


def checked(one: Json) -> Iterable[RenderableType]:
    verdict = Text("allowed", "bold green") if one["allowed"] else Text("denied", "bold red")
    yield Text.assemble(verdict, text(f": {one['agent_name']}, by the rule {one['rule']}"))
    if one.get("would_deny"):
        yield text(
            f"  would be denied by {one['would_deny']}, were it not in report-only", "yellow"
        )
    longest = one.get("max_session_seconds")
    rows = [
        ("grant", one.get("grant_id")),
        ("session", f"{duration(longest)} at most" if longest else None),
        ("contact", one.get("contact")),
    ]
    said = [row for row in rows if row[1] is not None]
    if said:
        yield details(said)
    for reason in one["reasons"]:
        yield Text()
        yield text(f"{reason['rule']}: {reason['detail']}")
        if reason["rule"] != one["rule"] or not one["allowed"]:
            yield from _remedy(reason)


def _remedy(reason: Json) -> Iterable[RenderableType]:
    rows = [
        ("grant", reason.get("grant_id")),
        ("change", reason["change"]),
        ("who can", _WHO.get(reason["who"], reason["who"])),
    ]
    yield details([row for row in rows if row[1]])
