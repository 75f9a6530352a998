import aiohttp
import pytest

from tests.dev.functions_host.ticking import ticked, ticks

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_timer_fired_by_hand_is_accepted_at_once_and_runs(
    client: aiohttp.ClientSession,
) -> None:
    before = len(await ticks(client))
    async with client.post("/admin/functions/TICK", json={"input": ""}) as answer:
        assert (answer.status, await answer.read()) == (202, b"")
    await ticked(client, before + 1)


async def test_whoever_waits_for_a_timer_is_told_the_outcome(
    client: aiohttp.ClientSession,
) -> None:
    async with client.post("/admin/functions/tick?wait") as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True, "error": None})
    async with client.post("/admin/functions/breaks?wait") as answer:
        assert answer.status == 500
        assert await answer.json() == {"ok": False, "error": "LookupError: the timer broke"}


@pytest.mark.parametrize(
    ("method", "name", "status"),
    [("POST", "nobody", 404), ("GET", "tick", 404), ("POST", "echo", 400)],
)
async def test_only_timers_can_be_fired(
    client: aiohttp.ClientSession, method: str, name: str, status: int
) -> None:
    async with client.request(method, f"/admin/functions/{name}") as answer:
        assert answer.status == status
