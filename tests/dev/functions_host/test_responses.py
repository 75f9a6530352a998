import aiohttp
import pytest

from tests.dev.functions_host.host_process import HostProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_function_that_is_no_coroutine_answers_from_a_thread(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/api/thread") as answer:
        assert (answer.status, await answer.text()) == (201, "from a thread")
        assert answer.headers["X-Kind"] == "sync"
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_a_returned_string_is_plain_text(client: aiohttp.ClientSession) -> None:
    async with client.get("/api/text") as answer:
        assert (answer.status, await answer.text()) == (200, "plain")
        assert answer.content_type == "text/plain"


@pytest.mark.parametrize("path", ["/api/none", "/api/dict", "/api/raise"])
async def test_a_function_that_fails_or_returns_something_else_is_an_empty_500(
    client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(path) as answer:
        assert (answer.status, await answer.read()) == (500, b"")


async def test_a_failure_is_logged_with_its_stack_trace_and_without_the_request(
    host: HostProcess, client: aiohttp.ClientSession
) -> None:
    headers = {"Authorization": "Bearer s3cret"}
    async with client.post("/api/raise?key=s3cret", headers=headers, data=b"s3cret"):
        pass
    await host.logged(r"Executed 'Functions\.raises' \(Failed, Id=.*LookupError: what went wrong")
    await host.logged(r'File ".*function_app\.py", line \d+, in raises')
    assert "s3cret" not in host.text


async def test_cookies_are_separate_headers_as_the_host_writes_them(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/api/cookie") as answer:
        assert answer.headers.getall("Set-Cookie") == [
            "a=1; max-age=60; path=/; samesite=lax; httponly",
            "b=2; expires=Thu, 01 Jan 2026 00:00:00 GMT; domain=example.org; secure",
        ]


async def test_the_app_s_lines_are_logged_from_info_up_and_successes_are_not(
    host: HostProcess, client: aiohttp.ClientSession
) -> None:
    async with client.get("/api/logs"):
        pass
    await host.logged("INFO app a line at INFO")
    assert "a line at DEBUG" not in host.text
    assert "Functions.logs" not in host.text
    assert "Function name" not in host.text
    assert "GET" not in host.text
