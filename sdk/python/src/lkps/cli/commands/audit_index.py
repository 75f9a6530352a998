"""`audit reindex`: what the trail is searched by, derived from it anew."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.commands.audit import parsed
from lkps.cli.instants import day
from lkps.cli.options import Reason, examples
from lkps.cli.printing import tell

app = typer.Typer()


@app.command(
    epilog=examples(
        "lkps audit reindex --from-day 2026-11-24 --to-day 2026-11-25 \\",
        '     --reason "rows were missing in answers"',
    )
)
def reindex(
    *,
    from_day: Annotated[
        str, typer.Option(parser=parsed(day), metavar="DAY", help="The first: 2026-11-24.")
    ],
    to_day: Annotated[str, typer.Option(parser=parsed(day), metavar="DAY", help="The last.")],
    reason: Reason,
) -> None:
    """Have the index of these days made anew from the trail; for administrators of LKPS."""
    body = {"from": from_day, "to": to_day, "reason": reason}
    found = settings.connect().post("audit", "reindex", body=body).body
    tell(f"Streams to be indexed anew: {found['streams']}. It takes some minutes.")
