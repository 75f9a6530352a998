"""`agents set-mode` and `rotate`: how an agent may be called, and how it is reached."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.options import (
    AgentName,
    AsJson,
    Given,
    Mode,
    Reason,
    count,
    examples,
    given,
    or_none,
)
from lkps.cli.printing import show_answer
from lkps.cli.views import agents as views

app = typer.Typer()


@app.command(
    epilog=examples(
        "lkps agents set-mode concierge granted --report-only",
        "lkps agents set-mode concierge granted --enforce --max-sessions 20",
    )
)
def set_mode(
    agent: AgentName,
    mode: Annotated[
        Mode, typer.Argument(metavar="MODE", help="open: to all; granted: by grant; closed.")
    ],
    *,
    report_only: Annotated[
        bool | None,
        typer.Option(
            "--report-only/--enforce", help="Record whom it would deny, or deny them, too."
        ),
    ] = None,
    max_sessions: Annotated[
        Given | None,
        typer.Option(parser=or_none(count), metavar="N|none", help="Most sessions at once."),
    ] = None,
    max_session_seconds: Annotated[
        Given | None,
        typer.Option(parser=or_none(count), metavar="N|none", help="Longest session."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how an agent may be called: by everyone, by whom it is granted, or by nobody."""
    api = settings.connect()
    body = given(
        access_mode=mode,
        report_only=report_only,
        max_sessions=max_sessions,
        max_session_seconds=max_session_seconds,
    )
    etag = api.get("agents", agent).etag
    changed = api.patch("agents", agent, body=body, if_match=etag).body
    show_answer(changed, views.agent, as_json=as_json)


@app.command(
    epilog=examples(
        'lkps agents rotate concierge --reason "yearly rotation"',
        'lkps agents rotate concierge --emergency --reason "the secret was in a log"',
    )
)
def rotate(
    agent: AgentName,
    *,
    reason: Reason,
    emergency: Annotated[
        bool,
        typer.Option("--emergency", help="Stop using the old secret at once: an outage."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give an agent another routing secret; its instances move by themselves."""
    body = given(reason=reason, emergency=emergency or None)
    rotated = settings.connect().post("agents", agent, "rotate", body=body, repeatable=False).body
    show_answer(rotated, views.rotated, as_json=as_json)
