"""`doctor`: what stands between this machine and a call, and how to mend it."""

import os
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lkps.cli.exits import Exit
from lkps.cli.options import Result, examples
from lkps.cli.printing import show, to_json
from lkps.cli.views import doctor as views

if TYPE_CHECKING:  # imported when it is needed: it takes its time
    from lkps.doctor import Finding

app = typer.Typer()

_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*")


def _agent_name(value: str) -> str:
    if value and not (_NAME.fullmatch(value) and len(value) <= 63):
        raise typer.BadParameter("an agent's name is of a-z, 0-9 and single hyphens, 63 at most")
    return value


@app.command(
    epilog=examples(
        "lkps doctor",
        "lkps doctor --agent concierge --call",
        "lkps doctor --platform --json",
    )
)
def doctor(
    *,
    agent: Annotated[
        str,
        typer.Option(
            "--agent", metavar="NAME", parser=_agent_name, help="Also look at this agent."
        ),
    ] = "",
    call: Annotated[
        bool,
        typer.Option(
            "--call", help="Call the agent: a session is started and ended, and is on the record."
        ),
    ] = False,
    platform: Annotated[
        bool,
        typer.Option(
            "--platform", help="Also look at LiveKit's settings, as LKPS's administrator."
        ),
    ] = False,
    as_json: Result = False,
) -> None:
    """Look for what is wrong, step by step, and say how to mend it.

    Exits with 0 when no step failed and with 1 when one did. It looks as the programs here would:
    as whom the environment names, else as who signed in. Nothing is changed, but by --call.
    """
    if call and not agent:
        raise typer.BadParameter("--call needs --agent")
    import asyncio  # here, as it takes its time

    findings = asyncio.run(_findings(agent, call=call, platform=platform, quiet=as_json))
    if as_json:
        _print_json(findings)
    else:
        show(views.summary(findings))
    if any(one.fix for one in findings):
        raise typer.Exit(Exit.REFUSED)


def _print_json(findings: "list[Finding]") -> None:
    typer.echo(to_json({"findings": [asdict(one) for one in findings]}), nl=False)


async def _findings(agent: str, *, call: bool, platform: bool, quiet: bool) -> "list[Finding]":
    from lkps.doctor import Patient, examine

    findings = []
    async for finding in examine(Patient(os.environ, agent, call=call, platform=platform)):
        findings.append(finding)
        if not quiet:
            show(*views.line(finding))
    return findings
