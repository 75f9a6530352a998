"""The command `lkps`, run in this process, with an environment of its own."""

import asyncio
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lkps.cli.__main__ import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  whatever JSON holds
        return json.loads(self.out)


@dataclass
class Command:
    environment: dict[str, str] = field(default_factory=dict)

    async def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        """In another thread: what it asks is answered in this one."""
        return await asyncio.to_thread(self._run, arguments, stdin)

    def _run(self, arguments: tuple[str, ...], stdin: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with (
            _environment(self.environment),
            _stdin(stdin),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main(arguments)
            except SystemExit as end:
                return Ran(int(end.code or 0), out.getvalue(), err.getvalue())
        raise AssertionError("it did not end")


@contextlib.contextmanager
def _environment(environment: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _stdin(text: str) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(text.encode()))
    try:
        yield
    finally:
        sys.stdin = before
