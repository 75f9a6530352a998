"""The example's page in a real browser: a person signs in, talks to an agent and hears it."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from dev.platform import Platform, running
from dev.platform.http import answers_ok
from dev.platform.places import ROOT
from tests.e2e.parts.browser import browsing, hears, new_context
from tests.e2e.parts.lkps import Lkps
from tests.e2e.parts.served import served
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.ports import free_port
from tests.sdk.parts.waiting import eventually

AXE = ROOT / "dev/node_modules/axe-core/axe.min.js"
SCREENSHOT = os.environ.get("WEB_CLIENT_SCREENSHOT")
"""Where to keep the picture of the guides, when it is to be made anew."""

HERTZ = 440


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def platform(port: int) -> AsyncIterator[Platform]:
    """One whose answers the page may read."""
    async with running(settings={"LKPS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port}"}) as platform:
        yield platform


@dataclass
class Visitor:
    """Whoever sits before the page."""

    page: Page
    url: str

    async def signs_in(self, name: str = "Alice") -> None:
        await self.page.goto(self.url)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.get_by_role("button", name=name).click()
        await expect(self.page.get_by_text("Signed in as")).to_be_visible()

    async def talks_to(self, agent_name: str) -> None:
        await self.page.get_by_label("Agent").select_option(agent_name)
        await self.page.get_by_role("button", name="Talk").click()

    async def reads(self, text: str) -> None:
        await expect(self.page.get_by_role("status")).to_have_text(text)

    async def complaints(self) -> list[Any]:
        """What axe finds wrong with the page as it is, by the rules of WCAG."""
        await self.page.evaluate(AXE.read_text())  # past the page's own policy for scripts
        found = await self.page.evaluate("axe.run()")
        return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]

    async def scrolls_sideways(self) -> bool:
        width = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(await self.page.evaluate(width))


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    async with browsing() as browser:
        yield await new_context(browser)


@pytest.fixture
async def visitor(
    context: BrowserContext, platform: Platform, port: int, agent_name: str
) -> AsyncIterator[Visitor]:
    tenant = platform.tenant.description
    environment = {
        "LKPS_URL": platform.lkps_url,
        "LKPS_API_CLIENT_ID": platform.audience,
        "LKPS_AUTHORITY": tenant.authority_https,
        "AZURE_TENANT_ID": platform.tenant_id,
        "WEB_CLIENT_ID": tenant.public_clients["crm-frontend"],
        "WEB_AGENTS": f"{agent_name},nobody-knows-it",
        "WEB_PORT": str(port),
    }
    url = f"http://127.0.0.1:{port}"
    async with served("examples/web_client/serve.py", environment, partial(answers_ok, url)):
        yield Visitor(await context.new_page(), url)


async def test_a_person_signs_in_talks_and_hears_the_agent(
    visitor: Visitor,
    agents: AgentLauncher,
    agent_name: str,
    tables: Tables,
) -> None:
    agent = await agents.start("tests/e2e/programs/tone_agent.py")
    await agent.is_connected()

    await visitor.signs_in()
    await visitor.talks_to(agent_name)
    await visitor.reads("The agent is speaking.")
    await eventually(partial(hears, visitor.page, HERTZ), 30)
    if SCREENSHOT:
        await visitor.page.screenshot(path=SCREENSHOT, animations="disabled")
    [session] = await tables.sessions(agent_name)
    await visitor.page.get_by_role("button", name="End").click()
    await visitor.reads("The conversation is over.")

    assert (session["agent_state"], session["dispatches"]) == ("joined", 1)
    [ended] = await tables.sessions(agent_name)
    assert (ended["id"], ended["cause"]) == (session["id"], "ended_by_starter")


async def test_the_page_is_accessible_and_fits_a_phone_in_each_of_its_states(
    visitor: Visitor, agents: AgentLauncher, agent_name: str
) -> None:
    agent = await agents.start("tests/e2e/programs/tone_agent.py")
    await agent.is_connected()
    await visitor.page.goto(visitor.url)
    await expect(visitor.page.get_by_role("button", name="Sign in")).to_be_visible()
    signed_out = await visitor.complaints(), await visitor.scrolls_sideways()
    await visitor.signs_in()
    ready = await visitor.complaints(), await visitor.scrolls_sideways()
    await visitor.talks_to(agent_name)
    await visitor.reads("The agent is speaking.")
    await expect(visitor.page.get_by_role("button", name="End")).to_be_focused()
    talking = await visitor.complaints(), await visitor.scrolls_sideways()

    await visitor.page.keyboard.press("Shift+Tab")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("button", name="Mute", pressed=True)).to_be_focused()

    assert [signed_out, ready, talking] == [([], False)] * 3


async def test_a_refusal_says_why_its_code_and_its_request(
    visitor: Visitor, tables: Tables
) -> None:
    await visitor.signs_in()
    await visitor.talks_to("nobody-knows-it")

    problem = visitor.page.get_by_role("alert")
    await expect(problem).to_contain_text("agent_not_callable, request ")
    said = await problem.inner_text()
    assert said.rpartition(" ")[2] in {row.get("request_id") for row in await tables.trail()}
    await expect(visitor.page.get_by_role("button", name="Talk")).to_be_enabled()


async def test_livekits_own_token_source_takes_lkpss_address_as_it_is(
    visitor: Visitor, agents: AgentLauncher, agent_name: str
) -> None:
    agent = await agents.start("tests/e2e/programs/tone_agent.py")
    await agent.is_connected()
    await visitor.signs_in()

    await visitor.page.evaluate(
        """async (agentName) => {
          const { Identity } = await import("./identity.js");
          const configuration = await (await fetch("config.json")).json();
          const identity = await Identity.load(configuration);
          const source = LivekitClient.TokenSource.endpoint(
            `${configuration.lkpsUrl}/api/session/start`,
            { headers: { Authorization: `Bearer ${await identity.accessToken()}` } },
          );
          const { serverUrl, participantToken } = await source.fetch({ agentName });
          const room = new LivekitClient.Room();
          room.on("trackSubscribed", (track) => document.body.append(track.attach()));
          await room.connect(serverUrl, participantToken);
        }""",
        agent_name,
    )

    await eventually(partial(hears, visitor.page, HERTZ), 30)


async def test_however_often_livekit_fetches_a_conversation_is_one_session(
    visitor: Visitor, agent_name: str, lkps: Lkps, tables: Tables
) -> None:
    await lkps.register(agent_name)
    await visitor.signs_in()

    fetched = await visitor.page.evaluate(
        """async (agentName) => {
          const { Identity } = await import("./identity.js");
          const { Lkps } = await import("./lkps.js");
          const configuration = await (await fetch("config.json")).json();
          const identity = await Identity.load(configuration);
          const lkps = new Lkps(configuration.lkpsUrl, () => identity.accessToken());
          const { source } = lkps.conversation(agentName);
          const fetched = [await source.fetch({}), await source.fetch({}, true)];
          return fetched.map((one) => one.participantToken);
        }""",
        agent_name,
    )

    assert all(fetched)
    [session] = await tables.sessions(agent_name)
    tokens = await tables.trail(session_id=session["id"], action="session.authorized")
    assert len(tokens) == 2
