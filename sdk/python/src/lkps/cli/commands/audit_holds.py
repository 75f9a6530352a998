"""`audit holds`: what must not be removed when its time is over."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.options import AsJson, Reason, examples, given, guid, require_one
from lkps.cli.printing import show_answer, tell
from lkps.cli.views import holds as views

app = typer.Typer(
    name="holds",
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="What must be kept although its time is over; for administrators of LKPS.",
)


@app.command("list", epilog=examples("lkps audit holds list"))
def list_holds(*, as_json: AsJson = False) -> None:
    """List the holds."""
    found = settings.connect().pages("audit", "holds", member="holds")
    show_answer(found, views.holds, as_json=as_json)


@app.command(
    epilog=examples('lkps audit holds place --agent concierge --reason "the inquiry of November"')
)
def place(
    *,
    agent: Annotated[str | None, typer.Option(metavar="AGENT", help="Rows of this agent.")] = None,
    client_app: Annotated[
        str | None, typer.Option(parser=guid, metavar="ID", help="Rows of this application.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(parser=guid, metavar="OID", help="Rows of this user.")
    ] = None,
    session: Annotated[str | None, typer.Option(metavar="ID", help="Rows of this session.")] = None,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Keep every day of the trail that has rows of this subject, until the hold is lifted."""
    require_one(
        {"--agent": agent, "--client-app": client_app, "--user": user, "--session": session}
    )
    subjects = given(agent=agent, application=client_app, user=user, session=session)
    (subject,) = (f"{kind}:{name}" for kind, name in subjects.items())
    body = {"subject": subject, "reason": reason}
    placed = settings.connect().post("audit", "holds", body=body, repeatable=False).body
    show_answer(placed, views.hold, as_json=as_json)


@app.command(epilog=examples("lkps audit holds lift HOLD_ID"))
def lift(
    hold_id: Annotated[
        str, typer.Argument(metavar="HOLD_ID", help="As `lkps audit holds list` shows it.")
    ],
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for whoever reads it in a year.")] = None,
) -> None:
    """Lift a hold: what it kept is removed when nothing else keeps it."""
    body = given(reason=reason) or None
    settings.connect().delete("audit", "holds", hold_id, body=body)
    tell(f"Lifted: {hold_id}")
