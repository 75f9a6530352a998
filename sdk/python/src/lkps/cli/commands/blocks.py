"""`block`, `unblock` and `blocks`: the kill switch."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.options import UNTIL, AsJson, Given, Reason, examples, given, guid, require_one, until
from lkps.cli.printing import show_answer, tell
from lkps.cli.views import blocks as views

app = typer.Typer()


@app.command(
    epilog=examples(
        'lkps block --client CLIENT_ID --reason "its secret leaked"',
        'lkps block --agent concierge --reason "says nonsense" --until 2026-12-31T18:00:00Z',
    )
)
def block(
    *,
    agent: Annotated[str | None, typer.Option(metavar="AGENT", help="Block this agent.")] = None,
    client: Annotated[
        str | None, typer.Option(parser=guid, metavar="ID", help="Block this application.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(parser=guid, metavar="OID", help="Block whoever has this object id."),
    ] = None,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help="End this session, and keep it ended.")
    ] = None,
    reason: Reason,
    ends: Annotated[
        Given | None,
        typer.Option("--until", parser=until, metavar="INSTANT", help=UNTIL),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Block an agent, an application, a user or a session at once, and end what is open.

    It says how many sessions it ended, and what it cannot reach.
    """
    require_one({"--agent": agent, "--client": client, "--user": user, "--session": session})
    body = given(
        agent_name=agent,
        client_app_id=client,
        user_oid=user,
        session_id=session,
        reason=reason,
        until=ends,
    )
    blocked = settings.connect().post("revocations", body=body).body
    show_answer(blocked, views.blocked, as_json=as_json)


@app.command(epilog=examples("lkps unblock agent:concierge"))
def unblock(
    block_id: Annotated[str, typer.Argument(metavar="ID", help="As `lkps blocks` shows it.")],
) -> None:
    """Lift a block; sessions that it ended stay ended."""
    settings.connect().delete("revocations", block_id)
    tell(f"No longer blocked: {block_id}")


@app.command(epilog=examples("lkps blocks", "lkps blocks --json"))
def blocks(*, as_json: AsJson = False) -> None:
    """List the blocks that hold now."""
    found = settings.connect().pages("revocations", member="revocations")
    show_answer(found, views.blocks, as_json=as_json)
