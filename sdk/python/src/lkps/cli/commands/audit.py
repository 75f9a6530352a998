"""`audit query`: what happened, to whom and why."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.answers import Json
from lkps.cli.commands.audit_rows import PAGE, read_rows
from lkps.cli.instants import end_instant, first_instant, moment, since
from lkps.cli.options import AsJson, examples, given, guid, require_one
from lkps.cli.printing import show_answer, tell
from lkps.cli.views import audit as views

app = typer.Typer()


class Outcome(StrEnum):
    SUCCESS = "success"
    REFUSED = "refused"
    FAILED = "failed"


class By(StrEnum):
    REASON = "reason"
    ACTION = "action"
    AGENT = "agent"
    CLIENT_APP = "client-app"


def parsed(read: Callable[[str], str]) -> Callable[[str], str]:
    """As an option's parser: its ValueError is a wrong command line."""

    def parse(value: str) -> str:
        try:
            return read(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return parse


def _since(span: str) -> str:
    return since(span, datetime.now(UTC))


From = typer.Option("--from", parser=parsed(first_instant), metavar="INSTANT", help="The first.")
To = typer.Option(
    "--to", parser=parsed(end_instant), metavar="INSTANT", help="Before it; a date is included."
)


@app.command(
    epilog=examples(
        "lkps audit query --last 1h --outcome refused",
        "lkps audit query --session SESSION_ID --json",
        "lkps audit query --agent concierge --last 7d --by reason",
        "lkps audit query --action 'grant.*' --from 2026-11-01 --to 2026-11-30 --all --csv",
    )
)
def query(
    *,
    session: Annotated[str | None, typer.Option(metavar="ID", help="Of this session.")] = None,
    agent: Annotated[str | None, typer.Option(metavar="AGENT", help="Of this agent.")] = None,
    client_app: Annotated[
        str | None, typer.Option(parser=guid, metavar="ID", help="Called by this application.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(parser=guid, metavar="OID", help="Called by this user.")
    ] = None,
    begin: Annotated[str | None, From] = None,
    end: Annotated[str | None, To] = None,
    last: Annotated[
        str | None,
        typer.Option(
            "--last", parser=parsed(_since), metavar="30m|1h|7d", help="From so long ago on."
        ),
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="One action, or a family: grant.changed, 'grant.*'.")
    ] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="What came of it.")] = None,
    reason: Annotated[str | None, typer.Option(help="The code of the refusal.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help=f"Most rows; {PAGE} unless said.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All rows, however many.")] = False,
    by: Annotated[By | None, typer.Option(help="Count all rows, and print the counts.")] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show what the audit trail has recorded: as much of it as you may see.

    Auditors see all rows, an agent's owners its rows, everyone else their own.
    """
    require_one({"--from": begin, "--last": last}, at_least=0)
    require_one({"--json": as_json, "--csv": as_csv}, at_least=0)
    require_one({"--limit": limit, "--all": everything}, at_least=0)
    asked = given(
        session_id=session,
        agent_name=agent,
        client_app_id=client_app,
        user_oid=user,
        action=action,
        outcome=outcome,
        reason=reason,
        **{"from": begin or last, "to": end},
    )
    most = None if everything or (by and not limit) else limit or PAGE
    found = read_rows(settings.connect(), asked, most)
    _show(found if by is None else views.counted(found, by), as_json=as_json, as_csv=as_csv)
    if found.get("next"):
        tell(f"There are more than these {len(found['rows'])} rows: --limit N, or --all.")
    if end is None or moment(end) > moment(found["complete_until"]):
        tell(f"Complete until {found['complete_until']}: younger rows may follow.")


def _show(answer: Json, *, as_json: bool, as_csv: bool) -> None:
    if as_csv:
        views.write_csv(answer)
    else:
        show_answer(answer, views.answer, as_json=as_json)
