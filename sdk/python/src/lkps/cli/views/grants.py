"""Grants, as people read them."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from lkps.cli.answers import Json
from lkps.cli.printing import details, text, unbroken
from lkps.cli.views.words import limits, when


def grants(answer: Json) -> Iterable[RenderableType]:
    if not answer["grants"]:
        yield Text("Nobody was granted the agent.")
    for number, one in enumerate(answer["grants"]):
        if number:
            yield Text()
        yield from grant(one)


def grant(one: Json) -> Iterable[RenderableType]:
    yield unbroken(one["grant_id"], "dim" if one["expired"] else "bold")
    yield details(
        [
            ("for", beneficiary(one)),
            ("until", _until(one)),
            ("limits", limits(one.get("max_sessions"), one.get("max_session_seconds"))),
            *([("denies", Text("nobody: report only", "yellow"))] if one["report_only"] else []),
            ("reason", one["reason"]),
            ("granted", f"{when(one['granted_at'])} by {one['granted_by']['oid']}"),
        ]
    )


def beneficiary(one: Json) -> str:
    client = one["client_app_id"]
    if one.get("group_id"):
        return f"members of group {one['group_id']} through application {client}"
    if one.get("user_oid"):
        return f"user {one['user_oid']} through application {client}"
    if one.get("any_user") or one.get("scope") == "any_user":
        return f"any user through application {client}"
    return f"application {client} itself"


def _until(one: Json) -> Text:
    if one["expired"]:
        return text(f"{when(one['expires_at'])}: expired", "red")
    return text(when(one.get("expires_at")) or "no end")
