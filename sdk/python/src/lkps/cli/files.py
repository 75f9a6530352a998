"""Files that commands read and write."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer

STDIN = Path("-")
_BINARY = getattr(os, "O_BINARY", 0)  # on Windows


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """`-` is standard input."""
    if path == STDIN:
        yield sys.stdin.buffer
        return
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Written whole or not at all, and readable by its owner alone."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        with os.fdopen(opened, "wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
