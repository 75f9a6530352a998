"""`agents owners`: who manages an agent."""

from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.answers import Json
from lkps.cli.options import AgentName, AsJson, examples, given, guid
from lkps.cli.printing import show_answer
from lkps.cli.views import agents as views

app = typer.Typer()


@app.command(
    epilog=examples(
        "lkps agents owners concierge",
        "lkps agents owners concierge --add OID --remove OID",
    )
)
def owners(
    agent: AgentName,
    *,
    add: Annotated[
        list[str] | None,
        typer.Option(parser=guid, metavar="OID", help="Object id of a new owner; repeatable."),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(parser=guid, metavar="OID", help="Object id of who no longer is; repeatable."),
    ] = None,
    leaving: Annotated[
        bool, typer.Option("--leaving", help="Needed to take yourself out of the owners.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show who owns an agent, or change it."""
    api = settings.connect()
    answer = api.get("agents", agent)
    body = answer.body
    wanted = _changed(body["owners"], add or [], remove or [])
    if _added(wanted):
        tid = api.get("whoami").body["tid"]
        wanted = [{"tid": tid, **one} for one in wanted]
    if wanted != body["owners"]:
        change = given(owners=wanted, leaving=leaving or None)
        body = api.patch("agents", agent, body=change, if_match=answer.etag).body
    show_answer(body, views.owners, as_json=as_json)


def _changed(owners: list[Json], add: list[str], remove: list[str]) -> list[Json]:
    """New ones have no `tid` yet."""
    kept = [one for one in owners if one["oid"] not in remove]
    present = {one["oid"] for one in kept}
    return [*kept, *({"oid": oid} for oid in dict.fromkeys(add) if oid not in present)]


def _added(owners: list[Json]) -> list[Json]:
    return [one for one in owners if "tid" not in one]
