"""The checkpoint key that whoever verifies already has, from the command line or a file."""

from pathlib import Path

import typer

from lkps.cli.signatures import load
from lkps_trail.notes import NoteInvalid, NoteKey

_MISSING = (
    "give the checkpoint key with --key TEXT or --key @FILE: lkps audit key prints it. Keep it"
    " apart from what it is to verify"
)


def read_key(given: str | None) -> NoteKey:
    """Of `--key`: the key's text, or `@` and the file with it."""
    if given is None:
        raise typer.BadParameter(_MISSING)
    try:
        text = Path(given[1:]).read_text() if given.startswith("@") else given
        key = NoteKey.parse(text)
        load(key.public_key)
    except OSError as error:
        raise typer.BadParameter(f"{given[1:]}: {error.strerror}") from error
    except (NoteInvalid, ValueError) as error:
        raise typer.BadParameter(f"--key: {error}") from error
    return key
