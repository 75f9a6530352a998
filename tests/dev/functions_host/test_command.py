import asyncio
import json
import os
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.dev.functions_host.conftest import APP, StartHost, write_app
from tests.dev.functions_host.host_process import CHECKOUT


async def test_the_hello_app_of_the_benchmarks_answers(start_host: StartHost) -> None:
    host = await start_host(CHECKOUT / "dev" / "bench" / "hello")
    async with aiohttp.ClientSession(host.url) as client, client.get("/api/hello") as answer:
        assert (answer.status, await answer.text()) == (200, "hello")
    assert await host.stop() == 0
    assert [line for line in host.log if "Listening" not in line] == []


async def test_settings_fill_in_what_the_environment_lacks(
    start_host: StartHost, app_dir: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "local.settings.json"
    settings.write_text(json.dumps({"IsEncrypted": False, "Values": {"IN_FILE": "a", "BOTH": "b"}}))
    environment = os.environ | {"BOTH": "from the environment"}
    host = await start_host(app_dir, "--settings", str(settings), environment=environment)
    async with (
        aiohttp.ClientSession(host.url) as client,
        client.get("/api/setting?names=IN_FILE,BOTH") as answer,
    ):
        assert await answer.json() == ["a", "from the environment"]
    assert await host.stop() == 0


async def test_the_route_prefix_is_the_one_of_host_json(
    start_host: StartHost, tmp_path: Path
) -> None:
    host_json = json.dumps({"version": "2.0", "extensions": {"http": {"routePrefix": ""}}})
    host = await start_host(write_app(tmp_path, APP, host_json))
    async with aiohttp.ClientSession(host.url) as client:
        async with client.get("/any") as answer:
            assert answer.status == 200
        async with client.get("/api/any") as answer:
            assert answer.status == 404
    assert await host.stop() == 0


async def test_a_body_over_the_limit_is_an_empty_500_and_is_not_invoked(
    start_host: StartHost, app_dir: Path
) -> None:
    environment = os.environ | {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "10"}
    host = await start_host(app_dir, "--verbose", environment=environment)
    async with aiohttp.ClientSession(host.url) as client:
        async with client.post("/api/length", data=b"x" * 11) as answer:
            assert (answer.status, await answer.read()) == (500, b"")
        assert "Functions.length" not in host.text
        async with client.post("/api/length", data=b"x" * 10) as answer:
            assert (answer.status, await answer.text()) == (200, "10")
    await host.logged(r"Executed 'Functions\.length' \(Succeeded")
    assert await host.stop() == 0


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({}, "host.json cannot be read"),
        ({"host.json": "[]"}, "host.json is not a JSON object"),
        ({"host.json": "{}", "function_app.py": "import no_such_module"}, "no_such_module"),
        ({"host.json": "{}", "function_app.py": "app = None"}, "top level function app instances"),
        ({"host.json": "{}"}, "no functions found"),
        (
            {
                "host.json": "{}",
                "function_app.py": APP,
                "settings.json": '{"Values": {"A_NUMBER": 1}}',
            },
            "the value of A_NUMBER is not a string",
        ),
    ],
)
async def test_an_app_that_cannot_start_ends_the_process_with_status_1_and_says_why(
    tmp_path: Path, files: dict[str, str], error: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    options = ["--settings", str(tmp_path / "settings.json")] if "settings.json" in files else []
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "dev.functions_host", str(tmp_path), "--port", "0", *options),
        cwd=CHECKOUT,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert error in errors.decode()
