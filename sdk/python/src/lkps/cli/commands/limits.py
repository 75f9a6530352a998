"""`limits`: the platform's limits, for everyone."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.options import AsJson, Given, count, examples, given, or_none
from lkps.cli.printing import show_answer
from lkps.cli.views import limits as views

app = typer.Typer()


@app.command("show", epilog=examples("lkps limits show"))
def show_limits(*, as_json: AsJson = False) -> None:
    """Show the limits for everyone."""
    show_answer(settings.connect().get("limits").body, views.limits, as_json=as_json)


@app.command(
    "set",
    epilog=examples(
        "lkps limits set --starts-per-minute-per-user 30",
        "lkps limits set --max-sessions-per-agent none",
    ),
)
def set_limits(
    *,
    starts_per_minute_per_application: Annotated[
        Given | None,
        typer.Option(parser=count, metavar="N", help="Session starts a minute by one application."),
    ] = None,
    starts_per_minute_per_user: Annotated[
        Given | None,
        typer.Option(parser=count, metavar="N", help="Session starts a minute by one user."),
    ] = None,
    max_sessions_per_agent: Annotated[
        Given | None,
        typer.Option(
            parser=or_none(count), metavar="N|none", help="Sessions of one agent at once."
        ),
    ] = None,
    max_session_seconds: Annotated[
        Given | None,
        typer.Option(parser=or_none(count), metavar="N|none", help="Longest session."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change limits for everyone; what is not said stays. For administrators of LKPS."""
    changes = given(
        starts_per_minute_per_application=starts_per_minute_per_application,
        starts_per_minute_per_user=starts_per_minute_per_user,
        max_sessions_per_agent=max_sessions_per_agent,
        max_session_seconds=max_session_seconds,
    )
    if not changes:
        raise typer.BadParameter("say which limit to set")
    api = settings.connect()
    before = api.get("limits")
    body = {**before.body, **changes}
    show_answer(
        api.put("limits", body=body, if_match=before.etag).body, views.limits, as_json=as_json
    )
