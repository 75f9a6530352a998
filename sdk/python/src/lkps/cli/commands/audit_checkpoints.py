"""`audit key` and `checkpoints`: what the trail is signed with, and what was signed."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.answers import Json, Members
from lkps.cli.options import AsJson, examples
from lkps.cli.printing import show, show_answer, unbroken
from lkps.cli.views import proofs as views

app = typer.Typer()


@app.command(epilog=examples("lkps audit key > checkpoint.key"))
def key() -> None:
    """Print the key that checkpoints are signed with, which `verify` takes.

    Get it once, and compare it with the one that the operator of LKPS publishes: whoever verifies
    with a key from the same hands as the file verifies nothing.
    """
    show(unbroken(str(settings.connect().get("audit", "checkpoints").body["key"])))


@app.command(epilog=examples("lkps audit checkpoints", "lkps audit checkpoints --after 0 --json"))
def checkpoints(
    *,
    after: Annotated[
        int | None,
        typer.Option(min=0, metavar="NUMBER", help="All after this one, and not only the last."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the last checkpoint, or all after one.

    Whoever keeps them can tell later whether the trail still leads to them.
    """
    api = settings.connect()
    answer = api.get("audit", "checkpoints", **_after(after)).body
    found: list[Json] = list(answer["checkpoints"])
    while after is not None and found and found[-1]["number"] < answer["last"]:
        page = api.get("audit", "checkpoints", **_after(found[-1]["number"])).body
        if not page["checkpoints"]:
            break
        found += page["checkpoints"]
    show_answer(Members({**answer, "checkpoints": found}), views.checkpoints, as_json=as_json)


def _after(number: int | None) -> dict[str, str]:
    return {} if number is None else {"after": str(number), "limit": "20"}
