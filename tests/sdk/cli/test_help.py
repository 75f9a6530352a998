"""Help: every command says what it does with an example, at once, and asks nobody."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lkps.cli.exits import MEANINGS, Exit
from tests.sdk.cli.parts.command import Command

README = Path(__file__).parents[3] / "sdk/python/README.md"

COMMANDS = (
    ("login",),
    ("logout",),
    ("whoami",),
    ("check",),
    ("doctor",),
    ("block",),
    ("unblock",),
    ("blocks",),
    *(("agents", one) for one in ("list", "show", "create", "set-mode", "owners", "rotate")),
    *(("grants", one) for one in ("list", "add", "change", "remove")),
    *(("audit", one) for one in ("query", "export", "verify", "key", "checkpoints")),
    *(("audit", one) for one in ("receipt", "verify-receipt", "reindex")),
    *(("audit", "holds", one) for one in ("list", "place", "lift")),
    *(("sessions", one) for one in ("list", "show", "end")),
    ("sweep",),
    *(("limits", one) for one in ("show", "set")),
    *(("policy", one) for one in ("plan", "apply", "export", "lint", "schema")),
)
GROUPS = (
    *((), ("agents",), ("grants",), ("sessions",), ("limits",), ("policy",)),
    *(("audit",), ("audit", "holds")),
)


async def listed(bare: Command, *group: str) -> set[tuple[str, ...]]:
    """The commands that a group's help lists."""
    lines = (await bare(*group, "--help")).out.partition("Commands")[2].splitlines()
    return {(*group, found[1]) for line in lines if (found := re.match(r"│ ([a-z-]+) ", line))}


async def test_these_are_all_commands(bare: Command) -> None:
    found = set[tuple[str, ...]]().union(*[await listed(bare, *group) for group in GROUPS])
    assert found == {*COMMANDS, *GROUPS[1:]}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_every_commands_help_has_an_example_that_calls_it(
    bare: Command, command: tuple[str, ...]
) -> None:
    ran = await bare(*command, "--help")

    assert ran.code == 0
    assert f"lkps {' '.join(command)}" in ran.out.partition("Example")[2]


READING = [
    *(("whoami",), ("check",), ("blocks",), ("agents", "list"), ("agents", "show")),
    *(("agents", "owners"), ("grants", "list"), ("limits", "show"), ("policy", "plan")),
    *(("policy", "export"), ("policy", "lint"), ("audit", "query"), ("audit", "checkpoints")),
    *(("audit", "holds", "list"), ("audit", "verify"), ("audit", "verify-receipt")),
    *(("sessions", "list"), ("sessions", "show"), ("sweep",), ("doctor",)),
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
async def test_every_reading_command_has_json(bare: Command, command: tuple[str, ...]) -> None:
    assert "--json" in (await bare(*command, "--help")).out


async def test_the_help_and_the_readme_say_what_the_exit_codes_mean(bare: Command) -> None:
    said = (await bare("--help")).out
    table = dict(re.findall(r"^\| `(\d)` \| (.*) \|$", README.read_text(), re.MULTILINE))

    assert table == {str(int(code)): meaning for code, meaning in MEANINGS.items()}
    for code in Exit:
        assert re.search(rf"^ +{code:d}  {re.escape(MEANINGS[code][:40])}", said, re.MULTILINE)


async def test_no_command_is_a_request_for_help(bare: Command) -> None:
    assert "Usage: lkps" in (await bare()).out


async def test_an_unknown_command_is_a_wrong_command_line(bare: Command) -> None:
    assert (await bare("agnets")).code == 2


async def test_the_version_is_that_of_the_package(bare: Command) -> None:
    assert (await bare("--version")).out == "lkps 0.1.0\n"


HELP = """
import sys
from lkps.cli.__main__ import main
try:
    main(["--help"])
except SystemExit:
    print(*sorted({"msal", "requests", "yaml", "aiohttp", "asyncio"} & sys.modules.keys()))
"""


def test_help_is_there_before_anything_slow_is_imported() -> None:
    ran = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == ""


def test_the_sdk_imports_nothing_of_the_command() -> None:
    program = "import sys, lkps; print([one for one in sys.modules if one.startswith('lkps.cli')])"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


WITHOUT_EXTRA = """
import sys
sys.modules["typer"] = None
from lkps.cli.__main__ import main
main([])
"""


def test_without_its_packages_it_says_which_to_install() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr == 'lkps: typer is missing: pip install "lkps-sdk[cli]"\n'


def test_the_command_is_a_module_and_a_script() -> None:
    script = str(Path(sys.executable).with_name("lkps"))
    for command in ([sys.executable, "-m", "lkps.cli"], [script]):
        ran = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert ran.stdout == "lkps 0.1.0\n"


def test_bash_completes_the_commands(bare: Command) -> None:
    """As bash asks by the function that `lkps --show-completion` prints."""
    source = str(README.parent / "src")
    bash = {**bare.environment, "PYTHONPATH": source, "_LKPS_COMPLETE": "complete_bash"}
    asked = {"COMP_WORDS": "lkps ", "COMP_CWORD": "1"}
    within = {"COMP_WORDS": "lkps grants re", "COMP_CWORD": "2"}
    script = str(Path(sys.executable).with_name("lkps"))
    shown = subprocess.run(
        [script, "--show-completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
        env=bash | {"_LKPS_COMPLETE": ""},
    )
    answers = [
        subprocess.run([script], capture_output=True, text=True, check=True, env=bash | one).stdout
        for one in (asked, within)
    ]

    assert "complete -o default -F _lkps_completion lkps" in shown.stdout
    assert set(answers[0].split()) == {one for one, *_ in COMMANDS}
    assert answers[1].split() == ["remove"]
