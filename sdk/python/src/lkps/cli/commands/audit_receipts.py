"""`audit receipt` and `verify-receipt`: the proof that a session was recorded."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.answers import Json
from lkps.cli.options import CheckpointKey, Result, examples
from lkps.cli.printing import show_answer, tell, to_json
from lkps.cli.views import proofs as views
from lkps.errors import LkpsError

app = typer.Typer()

_LONGEST = 2**20


class NotProved(LkpsError):  # noqa: N818
    """The receipt does not prove that the session was recorded."""


@app.command(epilog=examples("lkps audit receipt SESSION_ID --output receipt.json"))
def receipt(
    session_id: Annotated[str, typer.Argument(metavar="SESSION_ID", help="The session's id.")],
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Left out: standard output.")
    ] = None,
) -> None:
    """Get the receipt of a session: its row in the trail, and the proof that it is covered.

    For who started the session, the agent's owners, and administrators of LKPS.
    """
    from lkps.cli.files import replacing

    found = settings.connect().get("session", session_id, "receipt").body
    if output is None:
        sys.stdout.write(to_json(found))
    else:
        with replacing(output) as file:
            file.write(to_json(found).encode())
        tell(f"Written: {output}")
    if not found.get("proof"):
        tell("No checkpoint covers it yet: ask again in some minutes.")


@app.command(epilog=examples("lkps audit verify-receipt receipt.json --key @checkpoint.key"))
def verify_receipt(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt; - is standard input.")],
    *,
    key: CheckpointKey = None,
    as_json: Result = False,
) -> None:
    """Say whether a receipt proves that its session was recorded, offline."""
    from lkps.cli.checkpoint_keys import read_key
    from lkps.cli.files import reading
    from lkps.cli.signatures import verify_signature
    from lkps_trail.receipt import Receipt, ReceiptInvalid
    from lkps_trail.receipt import verify_receipt as verify

    trusted = read_key(key)
    with reading(file) as content:
        members = _object(content.read(_LONGEST))
    try:
        read = Receipt.from_json(members)
        checkpoint = verify(read, trusted, verify_signature)
    except ReceiptInvalid as error:
        raise NotProved(str(error)) from error
    row = json.loads(read.row)
    if row.get("session_id") != members.get("session_id"):
        raise NotProved("the row is of another session than the receipt")
    show_answer(views.proof_of(row, checkpoint), views.proved, as_json=as_json)


def _object(content: bytes) -> Json:
    try:
        members = json.loads(content)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise NotProved("not a receipt")
    return members
