"""What a part of the platform prints, in a file that only its owner may read."""

import os
from pathlib import Path
from typing import BinaryIO


class Log:
    """A new file under the name: another platform that runs beside this one keeps its own."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.path = path
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.file: BinaryIO = os.fdopen(descriptor, "ab", buffering=0)

    def text(self) -> str:
        """All of it, of every start; raises `ValueError` after `close`."""
        descriptor = self.file.fileno()
        # Not `read`: it would move the offset that the child shares.
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def tail(self, lines: int = 25) -> str:
        return "\n".join(self.text().splitlines()[-lines:])

    def close(self) -> None:
        self.file.close()
