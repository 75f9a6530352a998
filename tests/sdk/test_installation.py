"""The SDK as users have it: installed from its wheel, typed, and light until it is used."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.parts.distributions import built
from tests.sdk.parts.livekit import ROOT

IMPORTED = "import sys; {program}; print(*sorted({{one.partition('.')[0] for one in sys.modules}}))"
"""Prints the packages that a program brought."""

HEAVY = {"aiohttp", "cryptography", "livekit", "msal", "requests", "rich", "typer", "yaml"}
AGENTS_AND_COMMAND = {"livekit", "rich", "typer", "yaml"}

TYPED = """
from lkps import Refused, SessionClient

async def start(lkps: SessionClient, refused: Refused) -> None:
    reveal_type(await lkps.start("concierge"))
    reveal_type(refused.code)
    await lkps.start(17)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and none of what it depends on."""
    wheel = built(tmp_path_factory.mktemp("wheel"))
    environment = tmp_path_factory.mktemp("environment")
    uv = ran(str(ROOT / "dev/bootstrap.sh"), "uv").strip()
    ran(uv, "venv", "--quiet", "--no-project", "--clear", "--python", sys.executable, environment)
    python = environment / "bin/python"
    ran(uv, "pip", "install", "--quiet", "--no-deps", "--offline", "--python", python, wheel)
    return python


def ran(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def brought_by(program: str) -> set[str]:
    """The packages that are imported where all of them are installed."""
    return set(ran(sys.executable, "-c", IMPORTED.format(program=program)).split())


def test_it_is_imported_from_its_wheel_without_any_other_package(installed: Path) -> None:
    where = ran(installed, "-Ic", "import lkps, lkps_trail; print(lkps.__file__)").strip()

    assert Path(where).is_relative_to(installed.parents[1])


def test_its_names_are_shown_before_they_are_imported(installed: Path) -> None:
    hidden = ran(installed, "-Ic", "import lkps; print(*set(lkps.__all__) - set(dir(lkps)))")

    assert hidden.split() == []


def test_the_command_says_which_extra_it_needs(installed: Path) -> None:
    command = subprocess.run(
        [installed.parent / "lkps", "--help"], check=False, capture_output=True, text=True
    )

    assert command.returncode == 1
    assert command.stderr == 'lkps: typer is missing: pip install "lkps-sdk[cli]"\n'


def test_what_it_depends_on_is_imported_when_it_is_used() -> None:
    assert brought_by("pass") & HEAVY == set()  # or it would say nothing
    assert brought_by("import lkps") - brought_by("pass") - sys.stdlib_module_names == {"lkps"}
    assert brought_by("from lkps import SessionClient") & AGENTS_AND_COMMAND == set()
    assert "livekit" in brought_by("from lkps import AgentServer")


def test_its_types_are_those_of_its_users(installed: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(TYPED)
    check = ("--strict", "--config-file=", "--no-incremental", "--python-executable", installed)

    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *check, program],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert 'Revealed type is "lkps.session_answers.StartedSession"' in checked.stdout, checked
    assert 'Revealed type is "str' in checked.stdout
    assert 'incompatible type "int"; expected "str"' in checked.stdout
    assert "Found 1 error in 1 file" in checked.stdout
