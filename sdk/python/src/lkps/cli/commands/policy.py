"""`policy plan`, `apply` and `lint`: a file of agents, owners, modes, grants and limits."""

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType

from lkps.cli import settings
from lkps.cli.answers import Json
from lkps.cli.commands import planning
from lkps.cli.exits import Exit
from lkps.cli.options import AsJson, examples
from lkps.cli.printing import show, show_answer, tell, text
from lkps.cli.views import policy as views
from lkps.errors import ConfigurationError

if TYPE_CHECKING:  # it imports YAML
    from lkps.cli.policy_file import PolicyFile

app = typer.Typer()

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="The policy file (YAML); - is standard input.")
]


@app.command(
    epilog=examples(
        "lkps policy plan policy.yaml", "lkps policy plan policy.yaml --detailed-exitcode"
    )
)
def plan(
    file: File,
    *,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 7 when there are changes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what applying the file would change; nothing is changed."""
    policy = planning.read(file)
    planned = planning.plan(settings.connect(), policy)
    show_answer(planned, partial(_plan_view, policy), as_json=as_json)
    if detailed_exitcode and planned["changes"]:
        raise typer.Exit(Exit.CHANGES)


@app.command(
    epilog=examples("lkps policy apply policy.yaml", "lkps policy apply policy.yaml --yes")
)
def apply(
    file: File,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to apply.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make LKPS what the file says; shows the plan and asks first.

    What the file does not name stays as it is. Applied twice, it is as applied once; when somebody
    changes something between plan and apply, nothing is applied.
    """
    policy = planning.read(file)
    api = settings.connect()
    planned = planning.plan(api, policy)
    (tell if as_json else show)(*_plan_view(policy, planned))
    applied: Json = {"changes": [], "warnings": planned["warnings"]}
    if planned["changes"]:
        _confirm(yes=yes)
        with planning.located(policy):
            applied = api.post(
                *("policy", "apply"),
                body=policy.document,
                if_match=planned["basis"],
                repeatable=False,
            ).body
    show_answer(applied, _applied_view, as_json=as_json)


@app.command(epilog=examples("lkps policy lint policy.yaml"))
def lint(file: File, *, as_json: AsJson = False) -> None:
    """Say what in the file looks like a mistake; exits with 1 when something does."""
    policy = planning.read(file)
    planned = planning.plan(settings.connect(), policy)
    show_answer(planned, partial(_lint_view, policy), as_json=as_json)
    if planned["warnings"]:
        raise typer.Exit(Exit.REFUSED)


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody can be asked here: repeat the command with --yes")
    typer.confirm("Apply these changes?", abort=True, err=True)


def _plan_view(policy: "PolicyFile", planned: Json) -> Iterable[RenderableType]:
    yield from views.changes(planned["changes"])
    yield from views.warnings(policy, planned["warnings"])
    yield text(views.planned(planned["changes"]), "bold")


def _applied_view(applied: Json) -> Iterable[RenderableType]:
    if applied["changes"]:
        yield text(views.applied(applied["changes"]), "bold green")


def _lint_view(policy: "PolicyFile", planned: Json) -> Iterable[RenderableType]:
    yield from views.warnings(policy, planned["warnings"])
    yield text(views.linted(planned["warnings"]), "bold")
