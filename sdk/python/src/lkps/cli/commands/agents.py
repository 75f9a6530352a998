"""`agents list`, `show` and `create`: which agents there are, and whose they are."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.answers import AlreadyThere
from lkps.cli.options import AgentName, AsJson, Mode, examples, given, guid
from lkps.cli.printing import show_answer
from lkps.cli.views import agents as views
from lkps.errors import Refused

app = typer.Typer()


@app.command("list", epilog=examples("lkps agents list", "lkps agents list --json"))
def list_agents(*, as_json: AsJson = False) -> None:
    """List the agents that you may see."""
    found = settings.connect().pages("agents", member="agents")
    show_answer(found, views.agents, as_json=as_json)


@app.command("show", epilog=examples("lkps agents show concierge"))
def show_agent(agent: AgentName, *, as_json: AsJson = False) -> None:
    """Show an agent, how it may be called, and which of its instances are online."""
    body = settings.connect().get("agents", agent).body
    show_answer(body, views.agent, as_json=as_json)


@app.command(
    epilog=examples("lkps agents create concierge --runner OID --owner OID --mode granted")
)
def create(
    agent: AgentName,
    *,
    runner: Annotated[
        list[str] | None,
        typer.Option(parser=guid, metavar="OID", help="Object id of who may run it; repeatable."),
    ] = None,
    owner: Annotated[
        list[str] | None,
        typer.Option(
            parser=guid, metavar="OID", help="Object id of who may manage it; repeatable."
        ),
    ] = None,
    beat_id: Annotated[str | None, typer.Option(help="The registered system's id in BEAT.")] = None,
    contact: Annotated[str | None, typer.Option(help="Whom to ask about the agent.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="How it may be called at first.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create an agent; for administrators of LKPS."""
    api = settings.connect()
    tid = api.get("whoami").body["tid"]
    body = {
        "runners": [{"tid": tid, "oid": oid} for oid in runner or []],
        "owners": [{"tid": tid, "oid": oid} for oid in owner or []],
        **given(beat_id=beat_id, contact=contact, access_mode=mode),
    }
    try:
        created = api.create("agents", agent, body=body).body
    except Refused as error:
        if error.status != 412:
            raise
        detail = f"there is an agent {agent} already"
        raise AlreadyThere(412, error.code, detail, error.request_id) from error
    show_answer(created, views.agent, as_json=as_json)
