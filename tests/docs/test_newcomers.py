"""The guides' first minutes, as a newcomer plays them: in an empty folder, from the built wheel."""

from pathlib import Path

import pytest

from dev.platform import running
from tests.docs.newcomer import newcomer
from tests.docs.terminal import terminal

AGENT = "python agent.py dev\n"
STARTED = "registered worker"


@pytest.mark.timeout(600)
async def test_an_agent_developer_has_an_answering_agent_by_the_guides_own_commands(
    tmp_path: Path,
) -> None:
    async with running() as platform:
        reader = newcomer(tmp_path, platform)
        blocks = reader.reads("docs/agent-developer-guide.md")
        [start] = [number for number, block in enumerate(blocks) if block.commands == AGENT]
        trust = {"REQUESTS_CA_BUNDLE": platform.tenant.description.ca_file}
        in_one = terminal(
            blocks[: start + 1],
            until=STARTED,
            folder=reader.folder,
            environment=reader.environment,
        )
        in_another = terminal(
            blocks[start + 1 :],
            folder=reader.folder,
            environment={**reader.environment, **trust},
        )
        async with in_one, in_another:
            pass
