"""A function app that stands in for LKPS where only the platform around it is looked at."""

import json
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

FUNCTION_APP = """
import asyncio
import json
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
ticks = []


@app.route(route="health/ready")
async def ready(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ready")


@app.route(route="environment")
async def environment(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(dict(os.environ)))


@app.route(route="ticks")
async def count(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(str(len(ticks)))


@app.timer_trigger(schedule="* * * * * *", arg_name="timer")
async def tick(timer: func.TimerRequest) -> None:
    await asyncio.sleep(0.1)
    ticks.append(timer)


@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer")
async def broken(timer: func.TimerRequest) -> None:
    raise LookupError("no such moon")
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app")
    (folder / "host.json").write_text(json.dumps({"version": "2.0"}))
    (folder / "function_app.py").write_text(FUNCTION_APP)
    return folder


class Marked:
    """The processes that were started with one folder as their TMPDIR, which children inherit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._is_marked(process)]

    def children_of(self, parent: int) -> list[psutil.Process]:
        return [process for process in self.processes() if process.pid != parent]

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("TMPDIR") == str(self.folder)
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # which a zombie is, too
            return False


@pytest.fixture
def marked(tmp_path: Path) -> Iterable[Marked]:
    marked = Marked(tmp_path)
    yield marked
    for process in marked.processes():
        process.kill()
