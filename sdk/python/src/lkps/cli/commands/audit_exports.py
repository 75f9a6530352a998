"""`audit export` and `verify`: the trail of a period as a file, and whether it is as signed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from lkps.cli import settings
from lkps.cli.answers import FOREIGN, Foreign, Json, Members
from lkps.cli.commands.audit import From, To
from lkps.cli.exits import Exit
from lkps.cli.options import CheckpointKey, Result, examples
from lkps.cli.printing import show_answer, tell
from lkps.cli.views import proofs as views

if TYPE_CHECKING:  # it imports requests
    from lkps.cli.api import Api

app = typer.Typer()


@app.command(
    epilog=examples(
        "lkps audit export --from 2026-11-01 --to 2026-11-30",
        "lkps audit export --from 2026-11-24T00:00:00Z --to 2026-11-25 --output monday.ndjson",
    )
)
def export(
    *,
    begin: Annotated[str, From],
    end: Annotated[str, To],
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Left out: audit_FROM_TO.ndjson, in this folder."),
    ] = None,
) -> None:
    """Write all rows of a period to a file, with what proves that they are as recorded.

    For auditors. The file has whole checkpoints: also the rows just
    before and after the period that they cover. What is there already is replaced at the end.
    """
    from lkps.cli.files import replacing

    path = output or Path(f"audit_{_named(begin)}_{_named(end)}.ndjson")
    api = settings.connect()
    with replacing(path) as file:
        counts = _write(api, file, {"from": begin, "to": end})
    tell(f"Written: {path}")
    tell(
        f"{counts['rows']} rows under {counts['batches']} checkpoints,"
        f" and {counts['uncovered']} that no checkpoint covers yet."
    )


@app.command(
    epilog=examples(
        "lkps audit verify audit.ndjson --key @checkpoint.key",
        "zcat audit.ndjson.gz | lkps audit verify - --key @checkpoint.key --json",
    )
)
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An export; - is standard input.")],
    *,
    key: CheckpointKey = None,
    rows_only: Annotated[
        bool,
        typer.Option(
            "--rows-only", help="Compare with what was signed; do not look into the rows."
        ),
    ] = False,
    as_json: Result = False,
) -> None:
    """Say whether an export is as its checkpoints signed it, offline, and which rows are not.

    Exits with 1 when something is not, or when no checkpoint covers any of the rows.
    """
    from lkps.cli.checkpoint_keys import read_key
    from lkps.cli.files import reading
    from lkps.cli.signatures import verify_signature
    from lkps_trail.verifying import verify_export

    trusted = read_key(key)
    with reading(file) as lines:
        verified = verify_export(lines, trusted, verify_signature, meaning=not rows_only)
    result = views.result_of(verified)
    show_answer(result, views.verified, as_json=as_json)
    if not result["verified"]:
        raise typer.Exit(Exit.REFUSED)


def _write(api: "Api", file: BinaryIO, period: Json) -> Json:
    """Answer by answer; what the export counted at its end."""
    after: dict[str, str] = {}
    while True:
        lines = api.lines("audit", "export", **period, **after)
        before, last = _parted(lines)
        if "end" in last:
            file.write(lines)
            counts: Json = last["end"]
            return counts
        file.write(before)
        if last["more"]["after"] == after.get("after"):
            raise Foreign(f"{FOREIGN}: the export does not go on")
        after = {"after": str(last["more"]["after"])}


def _parted(lines: bytes) -> tuple[bytes, Json]:
    """What is before the last line, and the last line, which says how it goes on, or the end."""
    before, newline, last = lines.removesuffix(b"\n").rpartition(b"\n")
    try:
        members = json.loads(last, object_hook=Members)
    except ValueError:
        members = None
    if not isinstance(members, dict) or len(members.keys() & {"more", "end"}) != 1:
        raise Foreign(f"{FOREIGN}: the export breaks off")
    return before + newline, members


def _named(instant: str) -> str:
    """As a part of a file's name."""
    return instant.removesuffix("T00:00:00Z").replace(":", "")
