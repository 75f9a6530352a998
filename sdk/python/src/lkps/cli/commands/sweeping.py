"""`sweep`: sessions and LiveKit's rooms compared now, beside LKPS's timer."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.answers import Json
from lkps.cli.options import AsJson, examples, given
from lkps.cli.printing import show_answer
from lkps.cli.views import sweeping as views

app = typer.Typer()


@app.command(
    epilog=examples(
        "lkps sweep --dry-run",
        'lkps sweep --reason "rooms were left after the outage"',
        "lkps sweep --last",
    )
)
def sweep(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what a run would do, and do nothing.")
    ] = False,
    due: Annotated[
        bool, typer.Option("--due", help="Only see to what is due; else compare everything.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Remove rooms without a session even where they are implausibly many."
        ),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", help="Why, for whoever reads it in a year; not for a dry run."),
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="Show how the last runs went, and run nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """End what is over, mend what was lost, remove what is nobody's; for administrators of LKPS.

    LKPS does so by itself: what is due every minute, everything every five.
    """
    if last:
        if dry_run or due or force or reason is not None:
            raise typer.BadParameter("--last runs nothing: give it alone")
        show_answer(settings.connect().get("sweep").body, views.runs, as_json=as_json)
        return
    if reason is None and not dry_run:
        raise typer.BadParameter("say why with --reason, or try it with --dry-run")
    body: Json = given(reason=reason) | {"dry_run": dry_run, "full": not due, "force": force}
    ran = settings.connect().post("sweep", body=body).body
    show_answer(ran, views.foretold if dry_run else views.run, as_json=as_json)
