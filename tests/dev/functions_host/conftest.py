from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest
import pytest_asyncio

from tests.dev.functions_host.host_process import HostProcess

APP = """
import asyncio, contextvars, json, logging, os
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
seen = contextvars.ContextVar("seen", default="nothing")
finished = []

def as_json(value):
    return func.HttpResponse(json.dumps(value), mimetype="application/json")

@app.route("echo/{word?}", methods=["GET", "POST"])
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return as_json({
        "method": req.method, "url": req.url, "headers": dict(req.headers),
        "params": dict(req.params), "route_params": dict(req.route_params),
        "body": req.get_body().decode("latin-1"), "trace": context.trace_context.trace_parent,
    })

@app.route("length", methods=["POST"])
async def length(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(str(len(req.get_body())))

@app.route("any")
async def any_method(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.method)

@app.route("thread", methods=["GET"])
def thread(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("from a thread", status_code=201, headers={"X-Kind": "sync"})

@app.route("text", methods=["GET"])
async def text(req: func.HttpRequest) -> str:
    return "plain"

@app.route("none", methods=["GET"])
async def none(req: func.HttpRequest) -> func.HttpResponse:
    return None

@app.route("dict", methods=["GET"])
async def a_dict(req: func.HttpRequest) -> func.HttpResponse:
    return {"a": 1}

@app.route("raise", methods=["GET", "POST"])
async def raises(req: func.HttpRequest) -> func.HttpResponse:
    raise LookupError("what went wrong")

@app.route("cookie", methods=["GET"])
async def cookie(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("")
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly; SameSite=Lax; Max-Age=60")
    response.headers.add("Set-Cookie",
        "b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT; Secure; Domain=example.org")
    return response

@app.route("context", methods=["GET"])
async def context(req: func.HttpRequest) -> func.HttpResponse:
    before = seen.get()
    seen.set("an earlier request")
    return func.HttpResponse(before)

@app.route("slow", methods=["GET"])
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    print_line = logging.getLogger("app").info
    print_line("slow began")
    await asyncio.sleep(float(req.params["seconds"]))
    finished.append(req.params["seconds"])
    return func.HttpResponse("slow but sure")

@app.route("finished", methods=["GET"])
async def what_finished(req: func.HttpRequest) -> func.HttpResponse:
    return as_json(finished)

@app.route("logs", methods=["GET"])
async def logs(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("app").info("a line at INFO")
    logging.getLogger("app").debug("a line at DEBUG")
    return func.HttpResponse("")

@app.route("setting", methods=["GET"])
async def setting(req: func.HttpRequest) -> func.HttpResponse:
    return as_json([os.environ.get(name) for name in req.params["names"].split(",")])

# alphabetically "hides" comes before "names_the_day", whose template is more specific
@app.route("things/{id}", methods=["GET"])
async def hides(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("hides")

@app.route("things/today", methods=["GET"])
async def names_the_day(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("names_the_day")

ticks = []

@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def tick(timer: func.TimerRequest) -> None:
    ticks.append([timer.past_due, timer.schedule_status])

@app.timer_trigger(arg_name="timer", schedule="0 0 0 29 2 *")
async def breaks(timer: func.TimerRequest) -> None:
    raise LookupError("the timer broke")

@app.route("ticks", methods=["GET"])
async def what_ticked(req: func.HttpRequest) -> func.HttpResponse:
    return as_json(ticks)
"""


def write_app(folder: Path, source: str = APP, host_json: str = '{"version": "2.0"}') -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "function_app.py").write_text(source)
    (folder / "host.json").write_text(host_json)
    return folder


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    return write_app(tmp_path)


class StartHost(Protocol):
    async def __call__(
        self, app_dir: Path, *options: str, environment: Mapping[str, str] | None = None
    ) -> HostProcess: ...


@pytest_asyncio.fixture
async def start_host() -> AsyncIterator[StartHost]:
    """Starts processes of a test's own and ends those that the test leaves running."""
    started: list[HostProcess] = []

    async def start(
        app_dir: Path, *options: str, environment: Mapping[str, str] | None = None
    ) -> HostProcess:
        started.append(await HostProcess.start(app_dir, *options, environment=environment))
        return started[-1]

    yield start
    for running in started:
        await running.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HostProcess]:
    """One process for a module's tests, which must not stop it."""
    running = await HostProcess.start(write_app(tmp_path_factory.mktemp("app")))
    yield running
    assert await running.stop() == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(host: HostProcess) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(host.url) as session:
        yield session
