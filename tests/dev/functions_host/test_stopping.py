import asyncio
import signal
import time
from pathlib import Path

import aiohttp
import pytest

from tests.dev.functions_host.conftest import StartHost, write_app


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_with_status_0_after_the_requests_in_flight(
    start_host: StartHost, app_dir: Path, number: signal.Signals
) -> None:
    host = await start_host(app_dir)
    idle, writer = await asyncio.open_connection("127.0.0.1", host.port)
    async with aiohttp.ClientSession(host.url) as client:
        slow = asyncio.create_task(_text(client, "/api/slow?seconds=1"))
        await host.logged("slow began")
        host.process.send_signal(number)
        assert await idle.read() == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", host.port)
        assert not slow.done()
        assert await slow == "slow but sure"
    assert await host.ended() == 0
    assert "Traceback" not in host.text


async def test_a_signal_while_the_app_is_being_imported_ends_the_process_with_status_0(
    start_host: StartHost, tmp_path: Path
) -> None:
    source = """
import os, signal
import azure.functions as func
app = func.FunctionApp()

@app.route("never")
async def never(req: func.HttpRequest) -> func.HttpResponse: ...

os.kill(os.getpid(), signal.SIGTERM)
"""
    host = await start_host(write_app(tmp_path, source))
    assert await host.ended() == 0


async def test_a_timer_in_flight_finishes_before_the_process_ends(
    start_host: StartHost, tmp_path: Path
) -> None:
    source = """
import asyncio, logging
import azure.functions as func
app = func.FunctionApp()

@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
async def slow(timer: func.TimerRequest) -> None:
    logging.warning("began")
    await asyncio.sleep(0.5)
    logging.warning("ended")
"""
    host = await start_host(write_app(tmp_path, source), "--timers")
    await host.logged("began")
    assert await host.stop() == 0
    assert "ended" in host.text


async def test_what_outlives_the_grace_is_killed_with_status_0(
    start_host: StartHost, tmp_path: Path
) -> None:
    source = """
import logging, time
import azure.functions as func
app = func.FunctionApp()

@app.route("stuck", auth_level=func.AuthLevel.ANONYMOUS)
def stuck(req: func.HttpRequest) -> func.HttpResponse:
    logging.warning("stuck began")
    time.sleep(60)
"""
    host = await start_host(write_app(tmp_path, source))
    async with aiohttp.ClientSession(host.url) as client:
        stuck = asyncio.create_task(_text(client, "/api/stuck"))
        await host.logged("stuck began")
        began = time.monotonic()
        assert await host.stop() == 0
        assert 5 <= time.monotonic() - began < 10
        with pytest.raises(aiohttp.ClientConnectionError):
            await stuck
    assert "Killing what is still running" in host.text


async def test_background_tasks_of_the_app_do_not_delay_the_end(
    start_host: StartHost, tmp_path: Path
) -> None:
    source = """
import asyncio
import azure.functions as func
app = func.FunctionApp()
running = set()

@app.route("begin", auth_level=func.AuthLevel.ANONYMOUS)
async def begin(req: func.HttpRequest) -> func.HttpResponse:
    running.add(asyncio.create_task(asyncio.sleep(3600)))
    return func.HttpResponse("begun")
"""
    host = await start_host(write_app(tmp_path, source))
    async with aiohttp.ClientSession(host.url) as client:
        assert await _text(client, "/api/begin") == "begun"
    began = time.monotonic()
    assert await host.stop() == 0
    assert time.monotonic() - began < 4


async def _text(client: aiohttp.ClientSession, path: str) -> str:
    async with client.get(path) as answer:
        return await answer.text()
