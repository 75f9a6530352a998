"""Where the local platform keeps what it makes: in the checkout, in folders that git ignores."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
STATE = ROOT / "dev/.state"
LOGS = STATE / "logs"
_RUNS = STATE / "runs"


@contextmanager
def run_directory() -> Iterator[Path]:
    """A folder for one run's secrets and tables, gone at its end."""
    _RUNS.mkdir(parents=True, exist_ok=True)
    _sweep()
    path = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=_RUNS))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _sweep() -> None:
    """Removes what runs left behind that were killed."""
    for path in _RUNS.iterdir():
        if not _is_running(int(path.name.partition("-")[0])):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
