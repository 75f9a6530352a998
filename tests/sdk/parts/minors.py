"""The minors of livekit-agents in range: an environment of its own for each, as users have it.

`tests/sdk/minors` says which, `make lock` pins the newest release of each with all that it needs.
"""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.sdk.parts.livekit import ROOT

_LOCKS = ROOT / "tests/sdk/minors"
_ENVIRONMENTS = ROOT / "dev/.state/minors"

MINORS = sorted(one.stem for one in _LOCKS.glob("*.in"))


@dataclass(frozen=True)
class Minor:
    """`release` is the one pinned, `python` that of its environment."""

    release: str
    python: str


def with_sdk(minor: str, wheel: Path) -> Minor:
    """Its environment, made where there is none of the lock file as it is, and the SDK in it."""
    lock, environment = _LOCKS / f"{minor}.txt", _ENVIRONMENTS / minor
    python, made_from = environment / "bin/python", environment / "made-from"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not made_from.exists() or made_from.read_text() != digest:
        _uv("venv", "--no-project", "--clear", "--python", _base_python(), str(environment))
        _install(python, "sync", "--require-hashes", "--compile-bytecode", str(lock))
        made_from.write_text(digest)
    _install(python, "install", "--no-deps", "--reinstall", str(wheel))
    return Minor(release_in(lock), str(python))


def release_in(lock: Path) -> str:
    (pinned,) = [one for one in lock.read_text().splitlines() if one.startswith("livekit-agents==")]
    return pinned.removeprefix("livekit-agents==").split()[0]


def _install(python: Path, *arguments: str) -> None:
    first, *others = arguments
    _uv("pip", first, "--python", str(python), *others)


def _uv(*arguments: str) -> None:
    found = _output(str(ROOT / "dev/bootstrap.sh"), "uv").strip()
    _output(found, "--quiet", *arguments)


def _output(*command: str) -> str:
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _base_python() -> str:
    return str(getattr(sys, "_base_executable", sys.executable))
