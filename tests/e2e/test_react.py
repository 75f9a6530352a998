"""React's `useSession` with LKPS: when it starts sessions, and how the guide's source avoids it."""

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page

from dev.platform import Platform, running
from dev.platform.places import ROOT
from tests.e2e.parts.browser import browsing, new_context
from tests.e2e.parts.lkps import Lkps
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.ports import free_port
from tests.sdk.parts.waiting import eventually

PACKAGES = ROOT / "dev/node_modules"
GUIDE = ROOT / "docs/client-developer-guide.md"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def platform(port: int) -> AsyncIterator[Platform]:
    async with running(settings={"LKPS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port}"}) as platform:
        yield platform


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page's, with the guide's code in it."""
    folder = tmp_path_factory.mktemp("react")
    [component] = re.findall(r"^```js\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    (folder / "guide.jsx").write_text(component)
    shutil.copy(ROOT / "tests/e2e/programs/react/page.jsx", folder)
    shutil.copy(ROOT / "examples/web_client/page/lkps.js", folder)
    subprocess.run(
        [
            PACKAGES / ".bin/esbuild",
            *("page.jsx", "--bundle", "--jsx=automatic", "--outfile=page.js", "--log-level=error"),
        ],
        cwd=folder,
        env={**os.environ, "NODE_PATH": str(PACKAGES)},
        check=True,
    )
    return (folder / "page.js").read_text()


@pytest.fixture
async def page(script: str, port: int) -> AsyncIterator[Page]:
    async def answer(_: web.Request) -> web.Response:
        html = "<!doctype html><title>React</title><div id=root></div>"
        return web.Response(text=html, content_type="text/html")

    site = web.Application()
    site.router.add_get("/", answer)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with browsing() as browser:
        page = await (await new_context(browser)).new_page()
        await page.goto(f"http://127.0.0.1:{port}")
        await page.add_script_tag(content=script)
        yield page
    await runner.cleanup()


async def shown(page: Page, platform: Platform, agent_name: str, *, gated: bool) -> None:
    token = await platform.tenant.description.access_token("alice")
    await page.evaluate(
        "show",
        {
            "url": platform.lkps_url,
            "accessToken": token,
            "agentName": agent_name,
            "gated": gated,
        },
    )


async def press(page: Page, button: str) -> None:
    await page.get_by_role("button", name=button).click()


async def fetches(page: Page, number: int) -> None:
    await page.wait_for_function("(number) => fetches === number", arg=number)


async def test_livekits_own_source_starts_sessions_on_mount_and_after_an_end(
    page: Page, platform: Platform, lkps: Lkps, agent_name: str, tables: Tables
) -> None:
    async def sessions() -> int:
        return len(await tables.sessions(agent_name))

    async def are(number: int) -> bool:
        return await sessions() == number

    await lkps.register(agent_name)
    await shown(page, platform, agent_name, gated=False)
    await eventually(lambda: are(1))

    await press(page, "Talk")
    await page.get_by_role("button", name="End").wait_for()
    assert await sessions() == 1

    await press(page, "End")
    await eventually(lambda: are(2))


async def test_the_guides_source_starts_one_session_for_each_conversation(
    page: Page, platform: Platform, lkps: Lkps, agent_name: str, tables: Tables
) -> None:
    async def sessions() -> int:
        return len(await tables.sessions(agent_name))

    await lkps.register(agent_name)
    await shown(page, platform, agent_name, gated=True)
    await fetches(page, 1)
    assert await sessions() == 0

    for conversation in (1, 2):
        await press(page, "Talk")
        await page.get_by_role("button", name="End").wait_for()
        assert await sessions() == conversation
        before = await page.evaluate("fetches")
        await press(page, "End")
        await page.get_by_role("button", name="Talk").wait_for()
        await fetches(page, before + 1)
        assert await sessions() == conversation
