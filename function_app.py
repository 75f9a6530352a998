"""The triggers: read the request, let the API answer, write the response."""
# ruff: noqa: E402  two settings come before the imports, to make them faster

import gc
import os

gc.disable()  # imports make no garbage; warm_up turns it on again
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # finding none reads every package

from collections.abc import Awaitable, Callable

import azure.functions as func

from lkps_core.api.endpoints import ENDPOINTS, Endpoint
from lkps_core.api.handling import Api
from lkps_core.api.http import Request
from lkps_core.due import due
from lkps_core.wiring import Wired, warm_up

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
wired = Wired(os.environ)
api = Api(wired)


def answering(endpoint: Endpoint) -> Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]:
    """The function of one address. The worker library looks at its signature and its name."""

    async def function(req: func.HttpRequest) -> func.HttpResponse:
        response = await api.answer(
            endpoint,
            Request(req.method.upper(), req.headers, req.route_params, req.get_body(), req.params),
        )
        return func.HttpResponse(
            response.body,
            status_code=response.status,
            headers=dict(response.headers),
            mimetype=response.media_type,
        )

    function.__name__ = endpoint.name
    return function


for each in ENDPOINTS:
    # No methods means every method; for one left out the host answers 404 without our headers.
    app.route(route=each.path)(answering(each))


@app.timer_trigger(schedule="0 */5 * * * *", arg_name="timer")
async def checkpoint(timer: func.TimerRequest) -> None:
    """Covers the trail's new rows by signed checkpoints."""
    await due("checkpoint", wired)


@app.timer_trigger(schedule="15 * * * * *", arg_name="timer")
async def index(timer: func.TimerRequest) -> None:
    """Derives the trail's index from its new rows."""
    await due("index", wired)


@app.timer_trigger(schedule="0 * * * * *", arg_name="timer")
async def sweep(timer: func.TimerRequest) -> None:
    """Sees to the sessions that are due."""
    await due("sweep", wired)


@app.timer_trigger(schedule="30 */5 * * * *", arg_name="timer")
async def full_sweep(timer: func.TimerRequest) -> None:
    """Compares all sessions with LiveKit's rooms."""
    await due("full_sweep", wired)


@app.timer_trigger(schedule="30 30 * * * *", arg_name="timer")
async def retention(timer: func.TimerRequest) -> None:
    """Removes the days of the trail whose time is over."""
    await due("retention", wired)


warm_up()
