"""`grants add` and `change`: for whom, how much and until when an application may call an agent."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.options import (
    UNTIL,
    AgentName,
    AsJson,
    Given,
    GrantId,
    Reason,
    count,
    examples,
    given,
    guid,
    minutes,
    or_none,
    require_one,
    until,
)
from lkps.cli.printing import show_answer, tell
from lkps.cli.views import grants as views

app = typer.Typer()

_REPORT_ONLY = "Record whom its conditions and limits would deny, and deny nobody."


@app.command(
    epilog=examples(
        'lkps grants add concierge --client CLIENT_ID --reason "the shop\'s backend"',
        "lkps grants add concierge --client CLIENT_ID --group GROUP_ID --until 2026-12-31 \\",
        '     --max-sessions 5 --reason "the pilot in sales"',
    )
)
def add(
    agent: AgentName,
    *,
    client: Annotated[
        str, typer.Option(parser=guid, metavar="ID", help="The client application's client id.")
    ],
    any_user: Annotated[
        bool, typer.Option("--any-user", help="For whoever is signed in through the application.")
    ] = False,
    group: Annotated[
        str | None,
        typer.Option(parser=guid, metavar="ID", help="For members of this Entra ID group."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(parser=guid, metavar="OID", help="For this one user.")
    ] = None,
    ends: Annotated[
        Given | None, typer.Option("--until", parser=until, metavar="INSTANT", help=UNTIL)
    ] = None,
    max_sessions: Annotated[
        Given | None, typer.Option(parser=count, metavar="N", help="Most sessions at once.")
    ] = None,
    max_session_minutes: Annotated[
        Given | None, typer.Option(parser=minutes, metavar="N", help="Longest session.")
    ] = None,
    report_only: Annotated[bool, typer.Option("--report-only", help=_REPORT_ONLY)] = False,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Let an application call an agent: itself, or for people who are signed in through it."""
    require_one({"--any-user": any_user, "--group": group, "--user": user}, at_least=0)
    body = given(
        client_app_id=client,
        any_user=any_user or None,
        group_id=group,
        user_oid=user,
        expires_at=ends,
        max_sessions=max_sessions,
        max_session_seconds=max_session_minutes,
        report_only=report_only or None,
        reason=reason,
    )
    answer = settings.connect().post("agents", agent, "grants", body=body)
    if answer.status == 200:
        tell("It was granted already.")
    show_answer(answer.body, views.grant, as_json=as_json)


@app.command(epilog=examples("lkps grants change concierge GRANT_ID --until none --enforce"))
def change(
    agent: AgentName,
    grant_id: GrantId,
    *,
    ends: Annotated[
        Given | None,
        typer.Option("--until", parser=or_none(until), metavar="INSTANT|none", help=UNTIL),
    ] = None,
    max_sessions: Annotated[
        Given | None,
        typer.Option(parser=or_none(count), metavar="N|none", help="Most sessions at once."),
    ] = None,
    max_session_minutes: Annotated[
        Given | None,
        typer.Option(parser=or_none(minutes), metavar="N|none", help="Longest session."),
    ] = None,
    report_only: Annotated[
        bool | None, typer.Option("--report-only/--enforce", help=_REPORT_ONLY)
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, from now on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change a grant's terms; what is not said stays."""
    body = given(
        expires_at=ends,
        max_sessions=max_sessions,
        max_session_seconds=max_session_minutes,
        report_only=report_only,
        reason=reason,
    )
    if not body:
        raise typer.BadParameter("say what to change")
    api = settings.connect()
    path = ("agents", agent, "grants", grant_id)
    changed = api.patch(*path, body=body, if_match=api.get(*path).etag).body
    show_answer(changed, views.grant, as_json=as_json)
