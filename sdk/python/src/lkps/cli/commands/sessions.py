"""`sessions list`, `show` and `end`: which sessions an agent has, and how they went."""

from enum import StrEnum
from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.options import AsJson, examples, given
from lkps.cli.printing import show_answer
from lkps.cli.views import sessions as views

app = typer.Typer()

SessionId = Annotated[str, typer.Argument(metavar="ID", help="As a start answers it.")]


class State(StrEnum):
    OPEN = "open"
    ENDED = "ended"


@app.command(
    "list",
    epilog=examples(
        "lkps sessions list --agent concierge", "lkps sessions list --agent concierge --state open"
    ),
)
def list_sessions(
    *,
    agent: Annotated[str, typer.Option(metavar="AGENT", help="Of this agent.")],
    state: Annotated[State | None, typer.Option(help="In this state only.")] = None,
    as_json: AsJson = False,
) -> None:
    """List your sessions with an agent; all of them if you own it, or administer LKPS.

    Those that have ended are there for a day.
    """
    query = given(agent_name=agent, state=state)
    found = settings.connect().pages("sessions", member="sessions", **query)
    show_answer(found, views.sessions, as_json=as_json)


@app.command("show", epilog=examples("lkps sessions show ID"))
def show_session(session_id: SessionId, *, as_json: AsJson = False) -> None:
    """Show a session, whether its agent is there, and what became of the agents before."""
    body = settings.connect().get("session", session_id).body
    show_answer(body, views.session, as_json=as_json)


@app.command(epilog=examples("lkps sessions end ID"))
def end(session_id: SessionId, *, as_json: AsJson = False) -> None:
    """End a session now, for everyone in it."""
    ended = settings.connect().post("session", session_id, "end", body={}).body
    show_answer(ended, views.session, as_json=as_json)
