"""The guides' commands are run, in their order, against the platform that they start."""

import asyncio
import sys
from pathlib import Path

import pytest

from dev.platform.conditions import holds_within
from dev.platform.places import STATE
from tests.docs.pages import PAGES, Block, blocks
from tests.docs.terminal import running, terminal

NOT_RUN = {
    "make demo\n": "has tests of its own, in tests/e2e/test_demo.py",
    "make test\n": "is what runs this",
    "make bench\n": "takes minutes, and says nothing on a busy machine",
    "python examples/voice_agent/agent.py dev\n": "is what tests/e2e/test_voice_agent.py starts",
    ".venv/bin/python -m dev.bench.questions --rows 1000000\n": "takes ten minutes and 3 GB",
    "make help\nmake check\n": "is run before every commit",
    "make up\n": "is what this starts",
    "LKPS_RENEW_SECONDS=5 LKPS_AGENT_NAMES=assigned make up\n": "is tested in tests/dev/platform",
    "cp dev/.state/local.settings.json local.settings.json\nfunc start --port 7072\n": (
        "needs Azure Functions Core Tools"
    ),
    'pip install "./sdk/python[cli]"\n': "would change the environment that this runs in",
    "lkps login --url https://gateway.example/lkps --tenant TENANT_ID \\\n"
    "  --client-id CLIENT_ID --api-client-id API_CLIENT_ID\n": "is for a tenant of one's own",
}
FOREVER = {
    ".venv/bin/python examples/echo_agent.py start": "registered worker",
    ".venv/bin/python examples/web_client/serve.py": "open http://127.0.0.1:3000",
}
"""What goes on until it is ended, and what it prints once it is there."""

PAGE_SECONDS = 180

PLAYED = {
    "agent-developer-guide.md": "in an empty folder, by tests/docs/test_newcomers.py",
    "client-developer-guide.md": "the same",
}


def runnable(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.commands not in NOT_RUN]


def guides() -> list[Path]:
    return [page for page in PAGES if page.name not in PLAYED and runnable(page)]


@pytest.mark.timeout(len(guides()) * PAGE_SECONDS)
async def test_every_command_of_the_guides_does_what_it_says() -> None:
    described = STATE / "platform.json"
    assert not described.exists(), "make up is running in this checkout: end it first"
    async with running(sys.executable, "-m", "dev.platform"):
        assert await holds_within(60, described.exists)
        for page in guides():
            async with asyncio.timeout(PAGE_SECONDS):
                await _follow(page)


async def _follow(page: Path) -> None:
    """One block after the other, as in one terminal."""
    todo = runnable(page)
    async with terminal(todo, until=_goes_on(todo[-1])):
        pass


def _goes_on(block: Block) -> str:
    """What says that it is there; empty when the block comes to its end."""
    return next((said for command, said in FOREVER.items() if command in block.commands), "")


@pytest.mark.parametrize("page", guides(), ids=lambda page: page.name)
def test_nothing_is_left_to_do_after_what_goes_on_for_ever(page: Path) -> None:
    assert not any(_goes_on(block) for block in runnable(page)[:-1])


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        ("a … c\n", "a b b c\n\n", True),
        ("a … c\n", "a b\n c", False),
        ("a\n…\nz\n", "a\nz", True),
        ("a\n…\nz\n", "a\nb\nc\nz", True),
        ("a\n…\nz\n", "a\nz!", False),
        ("a.\n", "ab", False),
        (None, "anything", True),
    ],
)
def test_what_a_guide_shows_is_compared_with_what_is_printed(
    shown: str | None, printed: str, *, fits: bool
) -> None:
    assert Block("", shown).shows(printed) is fits


def test_what_is_not_run_is_in_a_guide() -> None:
    written = {block.commands for page in PAGES for block in blocks(page)}
    assert set(NOT_RUN) - written == set()
