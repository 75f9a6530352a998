"""The guides' Python runs, and is no more than what it says that it is."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import PAGES, ROOT

OVERVIEW = ROOT / "docs/sdk/overview.md"
SDK = ROOT / "sdk/python/README.md"


def code(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def ran(source: str) -> dict[str, Any]:
    """Its names, after it ran as a module does that is imported."""
    names: dict[str, Any] = {"__name__": "a_guide"}
    exec(compile(source, "a guide", "exec"), names)
    return names


PROGRAMS = [
    pytest.param(source, id=f"{page.relative_to(ROOT)}:{number}")
    for page in PAGES
    if page.is_relative_to(ROOT / "docs")
    for number, source in enumerate(code(page))
]
EXCERPTS = [pytest.param(source, id=str(number)) for number, source in enumerate(code(SDK))]


@pytest.mark.parametrize("source", PROGRAMS)
def test_a_program_of_a_guide_runs(source: str) -> None:
    ran(source)


@pytest.mark.parametrize("source", EXCERPTS)
def test_an_excerpt_in_the_sdks_readme_is_python(source: str) -> None:
    body = "".join(f"    {line}\n" for line in source.splitlines())
    compile(f"async def excerpt():\n{body}", "the README", "exec")


def test_an_agent_moves_over_by_its_import_alone() -> None:
    before, after, *_ = code(OVERVIEW)
    moved = before.replace("import Agent, AgentServer, AgentSession", "import Agent, AgentSession")
    [first, rest] = moved.split("\n", 1)
    assert after == f"{first}\nfrom lkps import AgentServer\n{rest}"
    assert ran(after)["server"].__module__ == "lkps.agent_server"


def test_after_the_move_no_environment_has_a_livekit_variable() -> None:
    environments = re.findall(
        r"^```text\n((?:[A-Z_]+=.*\n)+)```$", OVERVIEW.read_text(), re.MULTILINE
    )
    assert ["LIVEKIT_" in one for one in environments] == [True, False]
