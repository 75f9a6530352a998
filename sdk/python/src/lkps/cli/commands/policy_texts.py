"""`policy export` and `schema`: the live policy as a file, and what such a file may hold."""

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.answers import Json
from lkps.cli.options import AsJson, examples
from lkps.cli.printing import tell, to_json

app = typer.Typer()

_HEAD = """\
# yaml-language-server: $schema=./policy.schema.json
# `lkps policy schema > policy.schema.json` puts the schema beside this file, for editors.
"""


@app.command(epilog=examples("lkps policy export policy.yaml", "lkps policy export --json"))
def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Left out: standard output.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write the live policy as a file that can be planned and applied."""
    if as_json and file is not None:
        raise typer.BadParameter("--json prints, and writes no file")
    policy = settings.connect().get("policy").body
    if file is None:
        sys.stdout.write(to_json(policy) if as_json else to_yaml(policy))
        return
    try:
        file.write_text(to_yaml(policy))
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
    tell(f"Written: {file}")


@app.command(epilog=examples("lkps policy schema > policy.schema.json"))
def schema() -> None:
    """Print the JSON schema of policy files, for editors and checks."""
    sys.stdout.write(files("lkps.cli").joinpath("policy.schema.json").read_text())


def to_yaml(policy: Json) -> str:
    import yaml

    plain = json.loads(to_json(policy))  # the dumper knows no kinds of dict but one
    return _HEAD + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120)
