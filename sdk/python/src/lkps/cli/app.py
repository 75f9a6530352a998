"""The command line as a whole."""

from importlib.metadata import version
from typing import Annotated

import typer

from lkps.cli.commands import (
    accounts,
    agent_modes,
    agent_owners,
    agents,
    audit,
    audit_checkpoints,
    audit_exports,
    audit_holds,
    audit_index,
    audit_receipts,
    blocks,
    checking,
    doctor,
    grant_terms,
    grants,
    limits,
    policy,
    policy_texts,
    sessions,
    sweeping,
)
from lkps.cli.exits import MEANINGS
from lkps.cli.options import examples

_EXITS = "\n".join(f"  {code}  {meaning}" for code, meaning in MEANINGS.items())

app = typer.Typer(
    name="lkps",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"[bold]Exit codes[/bold]\n{_EXITS}\n\n"
    + examples("lkps login", "lkps check concierge", "lkps grants list concierge --json"),
)


def _group(name: str, text: str, *parts: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=text)
    for part in parts:
        group.add_typer(part)
    app.add_typer(group, name=name)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lkps {version('lkps-sdk')}")
        raise typer.Exit


@app.callback()
def lkps(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Who may call which agent: asked of LKPS, the LiveKit Platform Service, and changed there."""


app.add_typer(accounts.app)
app.add_typer(checking.app)
app.add_typer(doctor.app)
_group(
    "agents",
    "Which agents there are, and how they may be called.",
    agents.app,
    agent_modes.app,
    agent_owners.app,
)
_group("grants", "Which application may call an agent, and for whom.", grants.app, grant_terms.app)
_group("sessions", "Which sessions an agent has, and how they went.", sessions.app)
app.add_typer(blocks.app)
app.add_typer(sweeping.app)
_group("limits", "The limits for everyone.", limits.app)
_group(
    "audit",
    "What happened, and the proof that it is all and unchanged.",
    audit.app,
    audit_exports.app,
    audit_checkpoints.app,
    audit_receipts.app,
    audit_index.app,
    audit_holds.app,
)
_group("policy", "All of it as a file: plan, apply, export.", policy.app, policy_texts.app)
