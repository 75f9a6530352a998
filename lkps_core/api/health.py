"""Liveness for whoever asks; readiness with each dependency's state for admins only."""

import json

from lkps_core.api.http import Request, Response
from lkps_core.errors import Refusal
from lkps_core.identity.permissions import ADMINISTER
from lkps_core.services import Services


async def live(_: Services, __: Request) -> Response:
    return Response(200, b'{"status":"live"}', "application/json")


async def ready(services: Services, request: Request) -> Response:
    """200 or 503; the status alone is for load balancers and needs no token."""
    readiness = await services.health.readiness()
    answer: dict[str, object] = {"status": "ready" if readiness.ready else "not_ready"}
    if await _is_admin(services, request):
        answer["dependencies"] = dict(readiness.states)
    status, headers = (200, {}) if readiness.ready else (503, {"Retry-After": "5"})
    return Response(status, json.dumps(answer).encode(), "application/json", headers)


async def _is_admin(services: Services, request: Request) -> bool:
    authorization = request.headers.get("authorization")
    if authorization is None:
        return False
    try:
        caller = await services.authenticator.authenticate(authorization, services.clock())
    except Refusal:
        return False
    return caller.may(ADMINISTER)
