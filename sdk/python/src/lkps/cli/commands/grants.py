"""`grants list` and `remove`: which application may call an agent, for whom."""

import typer

from lkps.cli import settings
from lkps.cli.options import AgentName, AsJson, GrantId, examples
from lkps.cli.printing import show_answer, tell
from lkps.cli.views import grants as views

app = typer.Typer()


@app.command("list", epilog=examples("lkps grants list concierge"))
def list_grants(agent: AgentName, *, as_json: AsJson = False) -> None:
    """List an agent's grants."""
    found = settings.connect().pages("agents", agent, "grants", member="grants")
    show_answer(found, views.grants, as_json=as_json)


@app.command(epilog=examples("lkps grants remove concierge GRANT_ID"))
def remove(agent: AgentName, grant_id: GrantId) -> None:
    """Take a grant away; sessions that are open go on."""
    settings.connect().delete("agents", agent, "grants", grant_id)
    tell("Removed. Sessions that are open go on; lkps block ends them.")
