"""The guides' first minutes, as a newcomer plays them: in an empty folder, from the built wheel."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import expect

from dev.platform import Platform, running
from tests.docs.newcomer import Newcomer, newcomer
from tests.docs.pages import Block
from tests.docs.terminal import terminal
from tests.e2e.parts.browser import browsing, hears, new_context
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.ports import free_port
from tests.sdk.parts.waiting import eventually


@asynccontextmanager
async def two_terminals(
    reader: Newcomer, page: str, going_on: str, until: str
) -> AsyncIterator[list[Block]]:
    """In the first, all up to the block that goes on; then the blocks that are left are given."""
    blocks = reader.reads(page)
    [place] = [number for number, block in enumerate(blocks) if going_on in block.commands]
    async with terminal(
        blocks[: place + 1], until=until, folder=reader.folder, environment=reader.environment
    ):
        yield blocks[place + 1 :]


@pytest.mark.timeout(600)
async def test_an_agent_developer_has_an_answering_agent_by_the_guides_own_commands(
    tmp_path: Path,
) -> None:
    async with running() as platform:
        reader = newcomer(tmp_path, platform)
        trusting = {"REQUESTS_CA_BUNDLE": platform.tenant.description.ca_file}
        async with (
            two_terminals(
                reader,
                "docs/agent-developer-guide.md",
                "python agent.py dev\n",
                "registered worker",
            ) as others,
            terminal(
                others,
                folder=reader.folder,
                environment={**reader.environment, **trusting},
            ),
        ):
            pass


@pytest.mark.timeout(600)
async def test_a_client_developer_hears_an_agent_by_the_guides_own_commands(tmp_path: Path) -> None:
    port = str(free_port())
    origin = f"http://localhost:{port}"
    async with (
        running(settings={"LKPS_ALLOWED_ORIGINS": origin}) as platform,
        concierge(platform, tmp_path),
    ):
        stranger = newcomer(tmp_path, platform)
        reader = replace(stranger, given={**stranger.given, "3000": port})
        async with two_terminals(
            reader, "docs/client-developer-guide.md", "http.server", "Serving HTTP"
        ) as others:
            await talks_in_a_page(f"{origin}/")
            async with terminal(others, folder=reader.folder, environment=reader.environment):
                pass


@asynccontextmanager
async def concierge(platform: Platform, folder: Path) -> AsyncIterator[None]:
    agents = AgentLauncher(
        folder, {**platform.agent_environment("agent"), "ECHO_AGENT_NAME": "concierge"}
    )
    try:
        agent = await agents.start("tests/e2e/programs/tone_agent.py")
        await agent.is_connected()
        yield
    finally:
        await agents.stop()


async def talks_in_a_page(url: str) -> None:
    """As the guide says: the first Talk signs in, the second talks."""
    async with browsing() as browser:
        page = await (await new_context(browser)).new_page()
        await page.goto(url)
        await page.get_by_role("button", name="Talk").click()
        await page.get_by_role("button", name="Alice").click()
        await expect(page.get_by_role("status")).to_have_text("signed in as alice@lkps.example")
        await page.get_by_role("button", name="Talk").click()
        await expect(page.get_by_role("status")).to_have_text("agent: speaking")
        await eventually(partial(hears, page, 440), 30)
        await page.get_by_role("button", name="End").click()
        await expect(page.get_by_role("status")).to_have_text("over")
