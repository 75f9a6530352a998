"""What the documents say of tests, settings, variables and targets is so."""

import hashlib
import re
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from lkps.cli.views.callers import _WHO
from lkps.errors import ConfigurationError
from lkps.settings import LIVEKIT_KEYS, read_settings
from lkps_core import errors
from lkps_core.agents.routing import KNOWN_AFTER
from lkps_core.errors import Refusal
from lkps_core.freshness import OLDEST
from lkps_core.governance.beyond_reach import _RUNBOOK
from lkps_core.governance.clearing import AGAIN_AFTER
from lkps_core.governance.granting import MOST_OF_A_CLIENT
from lkps_core.policy.explaining import EXPLANATIONS, NOT_CALLABLE
from lkps_core.policy.model import PlatformLimits
from lkps_core.policy.usage import SETTLED
from lkps_core.sessions.planning import REROUTES
from lkps_core.sessions.rerouting import REROUTE_AFTER
from lkps_core.settings import Settings, SettingsError
from tests.builders.lkps import ENVIRONMENT
from tests.docs.pages import PAGES, ROOT, anchors

DOCS = ROOT / "docs"
LICENSE_SHA256 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""Of https://www.apache.org/licenses/LICENSE-2.0.txt."""


@cache
def text(page: Path) -> str:
    return page.read_text()


def rows(page: Path, first: str) -> list[list[str]]:
    """The cells of every table row whose first cell is code that matches."""
    found = re.findall(rf"^\| `({first})` \|(.*)\|$", text(page), flags=re.MULTILINE)
    return [[name, *(cell.strip() for cell in rest.split(" | "))] for name, rest in found]


def named_tests() -> list[str]:
    return re.findall(r"`(tests/[a-z0-9_/]+\.py::test_\w+)`", text(DOCS / "architecture.md"))


def test_the_architecture_names_a_test_for_every_invariant() -> None:
    lines = re.findall(r"^\| I\d \|.*$", text(DOCS / "architecture.md"), re.MULTILINE)
    assert [line[2:4] for line in lines] == [f"I{number}" for number in range(1, 10)]
    assert [line[2:4] for line in lines if "::test_" not in line] == []


@pytest.mark.parametrize("name", named_tests())
def test_a_test_that_the_architecture_names_is_there(name: str) -> None:
    file, _, function = name.partition("::")
    assert re.search(rf"^ *(async )?def {function}\(", text(ROOT / file), flags=re.MULTILINE)


TIMES = rows(DOCS / "settings.md", r"LKPS_[A-Z_]+_SECONDS")


def test_every_time_is_in_the_table_of_times() -> None:
    assert len(TIMES) == 4


@pytest.mark.parametrize(("name", "default", "least", "most"), [row[:4] for row in TIMES])
def test_a_time_has_its_documented_default_and_bounds(
    name: str, default: str, least: str, most: str
) -> None:
    member = name.removeprefix("LKPS_").lower()
    assert getattr(Settings.read(ENVIRONMENT), member) == int(default)
    for accepted in (least, most):
        assert getattr(Settings.read({**ENVIRONMENT, name: accepted}), member) == int(accepted)
    for refused in (int(least) - 1, int(most) + 1):
        with pytest.raises(SettingsError):
            Settings.read({**ENVIRONMENT, name: str(refused)})


def test_what_is_documented_as_required_is_what_is_asked_for() -> None:
    required = {row[0] for row in rows(DOCS / "settings.md", r"LKPS_\w+") if row[1] == "required"}
    with pytest.raises(SettingsError) as refused:
        Settings.read({})
    missing = {problem.partition(":")[0] for problem in refused.value.problems}
    assert missing == required


AGENT_VARIABLES = {
    row[0]: row[1] for row in rows(DOCS / "agent-developer-guide.md", r"(?:LKPS|AZURE)_\w+")
}


def test_an_agent_starts_with_the_documented_variables_and_names_what_is_missing() -> None:
    needed = {name for name, needed in AGENT_VARIABLES.items() if needed == "yes"}
    either = {name for name, needed in AGENT_VARIABLES.items() if needed == "one of the two"}
    environment = dict.fromkeys(needed, "x") | {"LKPS_URL": "https://gateway.example/lkps"}
    for one in sorted(either):
        assert read_settings({**environment, one: "x"})
    with pytest.raises(ConfigurationError) as refused:
        read_settings({})
    assert set(re.findall(r"[A-Z_]{6,}", str(refused.value))) >= needed | either


def test_the_livekit_keys_to_delete_are_the_ones_that_are_refused() -> None:
    said = re.search(
        r"^Delete (.*?)\. The agent", text(DOCS / "agent-developer-guide.md"), re.MULTILINE
    )
    assert said is not None
    assert set(re.findall(r"`(\w+)`", said[1])) == set(LIVEKIT_KEYS)


GUIDE = DOCS / "authorization.md"
LETTING_IN = {"open", "granted", "report_only_grant", "report_only_mode"}


def test_every_rule_that_refuses_is_explained_with_who_can_change_it() -> None:
    said: dict[str, str] = {row[0]: row[3] for row in rows(GUIDE, "[a-z_]+") if len(row) == 4}
    decided: dict[str, str] = {
        rule: _WHO[one.who] for rule, one in EXPLANATIONS.items() if rule not in LETTING_IN
    }
    assert said == {**decided, "not_callable": _WHO[NOT_CALLABLE.who]}


def test_every_403_and_429_has_its_row() -> None:
    said = re.findall(r"^\| (403|429) \| `(\w+)` \|", text(GUIDE), re.MULTILINE)
    refusals = [
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, Refusal) and one is not Refusal
    ]
    assert sorted(said) == sorted(
        (str(one.status), one.code) for one in refusals if one.status in (403, 429)
    )


def test_what_an_answer_names_as_runbook_is_there() -> None:
    page, _, anchor = _RUNBOOK.partition("#")
    assert anchor in anchors(ROOT / page)


LIMITS = PlatformLimits()


@pytest.mark.parametrize(
    "said",
    [
        f"within {OLDEST:.0f} s in all others",
        f"for the last time {AGAIN_AFTER:.0f} s after",
        f"For {KNOWN_AFTER.total_seconds():.0f} s nothing changes but the row",
        f"every {REROUTE_AFTER:.0f} s whether an agent came",
        f"sessions older than {SETTLED.total_seconds():.0f} s",
        f"at most {MOST_OF_A_CLIENT} grants on one agent",
        f"admins | {LIMITS.starts_per_minute_per_application:,} |",
        f"admins | {LIMITS.starts_per_minute_per_user} |",
    ],
)
def test_the_guides_numbers_are_those_of_the_code(said: str) -> None:
    assert said in text(GUIDE)


def test_a_job_is_dispatched_again_as_often_as_the_guide_says() -> None:
    assert 2 * REROUTES == 6
    assert "six times at most" in text(GUIDE)


def steps_shown() -> set[tuple[str, str]]:
    shown = re.findall(
        r"^ +[\d.]+ s +\d+ ms  (\w+) +(.*?)(?:  .*)?$", text(ROOT / "README.md"), re.MULTILINE
    )
    return set(shown)


def test_the_steps_that_the_readme_shows_are_the_demonstrations() -> None:
    source = text(ROOT / "dev/demo/__main__.py")
    assert steps_shown() == set(re.findall(r'steps\.step\("(\w+)", "(.*?)"\)', source))


def targets() -> list[str]:
    code = re.findall(
        r"`make (\w+)`|^(?:[A-Z_]+=\S+ )*make (\w+)$", "".join(map(text, PAGES)), re.MULTILINE
    )
    return sorted({one or other for one, other in code})


@pytest.mark.parametrize("target", targets())
def test_a_target_that_a_guide_names_is_there(target: str) -> None:
    known = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert known.returncode == 0, known.stderr


def test_the_coverage_that_contributors_are_told_of_is_the_one_that_is_held_to() -> None:
    words = r"at least (\d+) %, (\w+), (\w+) and (\w+) 100 %"
    (said,) = re.findall(words, text(ROOT / "CONTRIBUTING.md"))
    least, one, other, third = said
    wholly = f"lkps_core/{one}/*,lkps_core/{other}/*,{third}/*"
    makefile = text(ROOT / "Makefile")
    assert f"--fail-under={least}\n" in makefile
    assert f"--fail-under=100 --include='{wholly}'\n" in makefile


def test_shell_commands_are_marked_as_such_so_that_they_are_run() -> None:
    languages = {
        (page.name, language)
        for page in PAGES
        if page.is_relative_to(DOCS) or page.parent == ROOT
        for language in re.findall(r"^```(\w+)$", text(page), re.MULTILINE)
    }
    run = {"sh", "python", "js"}  # the last by tests/e2e/test_react.py
    assert {language for _, language in languages} <= run | {"json", "text", "mermaid"}


def test_the_license_is_the_whole_apache_license() -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == LICENSE_SHA256


def test_examples_of_times_are_times() -> None:
    examples = re.findall(r'"expires_at": "(.*?)"', text(ROOT / "README.md"))
    assert examples
    assert all(datetime.fromisoformat(one).tzinfo == UTC for one in examples)
