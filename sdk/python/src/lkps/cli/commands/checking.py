"""`check`: may a caller start a session with an agent, and why (not)?"""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.exits import Exit
from lkps.cli.options import AgentName, AsJson, examples, given, guid
from lkps.cli.printing import show_answer
from lkps.cli.views import callers as views

app = typer.Typer()


@app.command(
    epilog=examples(
        "lkps check concierge",
        "lkps check concierge --client CLIENT_ID --user OID --group GROUP_ID",
    )
)
def check(
    agent: AgentName,
    *,
    client: Annotated[
        str | None,
        typer.Option(
            parser=guid, metavar="ID", help="About this application; for owners and administrators."
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(parser=guid, metavar="OID", help="About this user, signed in through it."),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(parser=guid, metavar="ID", help="A group that the user is in; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask whether you, or a caller you name, may start a session; nothing is started.

    Exits with 0 when allowed and with 3 when denied. The reasons say what would have to change, and
    who can change it.
    """
    if client is None and (user or group):
        raise typer.BadParameter("--user and --group need --client")
    if user is None and group:
        raise typer.BadParameter("--group needs --user")
    caller = given(client_app_id=client, user_oid=user, groups=group or None)
    body = given(agent_name=agent, caller=caller or None)
    checked = settings.connect().post("authorization", "check", body=body).body
    show_answer(checked, views.checked, as_json=as_json)
    if not checked["allowed"]:
        raise typer.Exit(Exit.DENIED)
