"""The set-up finds what it needs, does each step once, and recovers from being cut short."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dev.platform.conditions import holds_within
from dev.platform.places import ROOT
from tests.dev.platform.conftest import Marked

TOOLS = (
    "bash",
    "cat",
    "cksum",
    "dirname",
    "env",
    "ln",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "sleep",
    "touch",
)
SHIM = "#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2; exit 127\n"
NPM = """#!/bin/sh
echo begun >> npm.calls
{}
mkdir -p dev/node_modules/azurite/dist/src/table
touch dev/node_modules/azurite/dist/src/table/main.js
echo done >> npm.calls
"""


class Checkout:
    """A checkout with nothing but the set-up in it, on a machine whose PATH is one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.path = folder / "bin"
        self.path.mkdir()
        (self.folder / "dev").mkdir(parents=True)
        for name in ("bootstrap.sh", "package.json", "package-lock.json"):
            shutil.copy(ROOT / "dev" / name, self.folder / "dev")
        for tool in TOOLS:
            (self.path / tool).symlink_to(shutil.which(tool) or "")
        self.environment = {"PATH": str(self.path), "HOME": str(folder), "TMPDIR": str(folder)}

    def program(self, path: Path | str, text: str) -> None:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def python(self, path: Path | str) -> None:
        """A real Python 3.13 that is told by the place it is at."""
        real = sys._base_executable  # type: ignore[attr-defined]
        place = self.path / path
        told = f"import sys; sys._base_executable = '{place}'; exec(sys.argv[1])"
        self.program(path, f'#!/bin/sh\nexec "{real}" -Ic "{told}" "$2"\n')

    def node(self, doing: str = "") -> None:
        self.program("node", "#!/bin/sh\necho v20.1.0\n")
        self.program("npm", NPM.format(doing))

    def start(self, *words: str, **extra: str) -> subprocess.Popen[str]:
        # Where the tests run in the background, they and what they start would ignore Ctrl-C.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                [self.folder / "dev/bootstrap.sh", *words],
                env=self.environment | extra,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)

    def run(self, *words: str, extra: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        with self.start(*words, **(extra or {})) as started:
            out, err = started.communicate(timeout=60)
        return started.returncode, out.strip(), err.strip()

    @property
    def npm_calls(self) -> list[str]:
        calls = self.folder / "npm.calls"
        return calls.read_text().split() if calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_python_on_the_path_that_runs_is_taken(checkout: Checkout) -> None:
    checkout.python("python3.13")

    assert checkout.run("python") == (0, str(checkout.path / "python3.13"), "")


@pytest.mark.parametrize("root", [".pyenv", "elsewhere"])
def test_a_pyenv_python_is_taken_when_the_one_on_the_path_is_a_shim_that_fails(
    root: str, checkout: Checkout, tmp_path: Path
) -> None:
    checkout.program("python3.13", SHIM)
    python = tmp_path / root / "versions/3.13.0/bin/python3.13"
    checkout.python(python)
    extra = {} if root == ".pyenv" else {"PYENV_ROOT": str(tmp_path / root)}

    assert checkout.run("python", extra=extra) == (0, str(python), "")


def test_a_python_of_another_version_is_not_taken(checkout: Checkout) -> None:
    checkout.program("python3.13", "#!/bin/sh\nexit 1\n")

    status, out, err = checkout.run("python")

    assert (status, out) == (1, "")
    assert "missing: Python 3.13" in err.splitlines()[-1]


def test_uv_installs_a_python_when_there_is_none(checkout: Checkout, tmp_path: Path) -> None:
    python = tmp_path / "installed/python3.13"
    checkout.python(tmp_path / "waiting")
    checkout.program(
        "uv",
        f"""#!/bin/sh
case "$1 $2" in
  "--version ") echo "uv 0.13.9 (of a test)" ;;
  "python find") [ -e {python} ] && echo {python} ;;
  "python install") mkdir {python.parent} && ln -s {tmp_path}/waiting {python} ;;
esac
""",
    )

    status, out, err = checkout.run("python")

    assert (status, out) == (0, str(tmp_path / "waiting"))
    assert err == "setup: installing Python 3.13"


def test_all_that_is_missing_is_said_in_one_line(checkout: Checkout) -> None:
    status, _, err = checkout.run()

    last = err.splitlines()[-1]
    assert status == 1
    assert all(name in last for name in ("Python 3.13", "uv 0.13", "Node.js 20", "livekit-server"))


def test_a_node_that_is_too_old_counts_as_missing(checkout: Checkout) -> None:
    checkout.python("python3.13")
    checkout.node()
    checkout.program("node", "#!/bin/sh\necho v18.20.0\n")

    status, _, err = checkout.run("azurite")

    assert status == 1
    assert err == "setup: missing: Node.js 20 or newer with npm (nodejs.org)"


def test_a_livekit_server_of_another_version_counts_as_missing(checkout: Checkout) -> None:
    checkout.python("python3.13")
    checkout.program("livekit-server", "#!/bin/sh\necho livekit-server version 1.13.50\n")

    status, _, err = checkout.run("livekit")

    assert status == 1
    assert err.startswith("setup: missing: livekit-server 1.13.5 on the PATH")


def test_a_livekit_server_on_the_path_is_taken(checkout: Checkout) -> None:
    checkout.python("python3.13")
    checkout.program("livekit-server", "#!/bin/sh\necho livekit-server version 1.13.5\n")

    status, _, err = checkout.run("livekit")

    assert (status, err) == (0, "")
    taken = checkout.folder / "dev/.state/bin/livekit-server"
    assert taken.resolve() == (checkout.path / "livekit-server").resolve()


def test_a_step_is_done_once(checkout: Checkout) -> None:
    checkout.python("python3.13")
    checkout.node()

    first = checkout.run("azurite")
    again = checkout.run("azurite")

    assert first == (0, "", "setup: installing Azurite")
    assert again == (0, "", "")
    assert checkout.npm_calls == ["begun", "done"]


def test_a_step_is_done_again_when_its_pins_change_or_its_result_is_gone(
    checkout: Checkout,
) -> None:
    checkout.python("python3.13")
    checkout.node()
    checkout.run("azurite")

    (checkout.folder / "dev/package-lock.json").write_text("{}")
    checkout.run("azurite")
    shutil.rmtree(checkout.folder / "dev/node_modules")
    checkout.run("azurite")

    assert checkout.npm_calls == ["begun", "done"] * 3


def test_a_step_that_failed_is_done_again(checkout: Checkout) -> None:
    checkout.python("python3.13")
    checkout.node("exit 7")
    status, _, err = checkout.run("azurite")
    checkout.node()

    again, _, _ = checkout.run("azurite")

    assert status == 1
    assert err.splitlines()[-1] == "setup: set-up stopped: 'npm --prefix' failed"
    assert again == 0
    assert checkout.npm_calls == ["begun", "begun", "done"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interruption_ends_what_runs_and_the_next_run_does_it_again(
    number: signal.Signals, checkout: Checkout, marked: Marked
) -> None:
    checkout.python("python3.13")
    checkout.node("sleep 600")
    with checkout.start("azurite") as interrupted:
        assert await holds_within(30, lambda: checkout.npm_calls == ["begun"])
        interrupted.send_signal(number)
        interrupted.communicate(timeout=30)
    left = marked.processes()
    state = checkout.folder / "dev/.state"
    scratch = list(state.glob("scratch.*"))
    checkout.node()

    again, _, _ = checkout.run("azurite")

    assert interrupted.returncode == 130
    assert left == []
    assert scratch == []
    assert again == 0
    assert checkout.npm_calls == ["begun", "begun", "done"]


async def test_two_set_ups_at_once_do_a_step_once(checkout: Checkout) -> None:
    checkout.python("python3.13")
    checkout.node("while [ ! -e go.on ]; do sleep 0.02; done")

    with checkout.start("azurite") as one:
        assert await holds_within(30, lambda: checkout.npm_calls == ["begun"])
        with checkout.start("azurite") as other:
            assert other.stderr
            waiting = other.stderr.readline()
            (checkout.folder / "go.on").touch()
            other.communicate(timeout=30)
        one.communicate(timeout=30)

    assert waiting == "setup: waiting for another set-up to end\n"
    assert (one.returncode, other.returncode) == (0, 0)
    assert checkout.npm_calls == ["begun", "done"]


def test_a_virtual_environment_that_was_cut_short_is_made_anew(checkout: Checkout) -> None:
    checkout.python("python3.13")
    checkout.program(
        "uv",
        """#!/bin/sh
[ "$1" = --version ] && echo "uv 0.13.9" && exit
echo "$1 $2" >> uv.calls
[ "$1" = venv ] && mkdir -p .venv/bin && ln -sf "$(command -v python3.13)" .venv/bin/python
[ "$1 $2" != "pip sync" ] || [ -e allowed ]
""",
    )
    for name in ("requirements-dev.txt", "sdk/python/pyproject.toml"):
        (checkout.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.folder / name).touch()
    calls = checkout.folder / "uv.calls"

    stopped, _, _ = checkout.run("packages")
    (checkout.folder / "allowed").touch()
    calls.unlink()
    ended, _, _ = checkout.run("packages")
    after = calls.read_text().splitlines()
    calls.unlink()
    (checkout.folder / "requirements-dev.txt").write_text("changed")
    checkout.run("packages")

    assert (stopped, ended) == (1, 0)
    assert after == ["venv --quiet", "pip sync", "pip install"]
    assert calls.read_text().splitlines() == ["pip sync", "pip install"]
