"""What every request goes through, in one order: who, may they, form, act, record, answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from lkps_core.agents.names import agent_name_in, is_agent_name
from lkps_core.api import cors, request_id
from lkps_core.api.endpoints import Endpoint, OpenOperation
from lkps_core.api.http import Request, Response
from lkps_core.api.operations import Operation
from lkps_core.api.operations.operation import BODY_LIMIT, Answered
from lkps_core.audit.event import Event, actor
from lkps_core.call import Call
from lkps_core.errors import (
    AuditUnavailable,
    BodyTooLarge,
    CallerBlocked,
    Defect,
    MediaTypeUnsupported,
    MethodNotAllowed,
    PermissionLacking,
    Refusal,
)
from lkps_core.identity.principal import Principal
from lkps_core.policy.model import Blocks
from lkps_core.reply import Reply
from lkps_core.services import Services
from lkps_core.wire import problems
from lkps_core.wire.bodies import Body
from lkps_core.wire.sessions import StartSession

log = logging.getLogger(__name__)

_SERVER_ERROR = 500
_UNAVAILABLE = 503

_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(slots=True)
class _Exchange:
    """One request on its way; what is learnt of it along the way is what its refusal records."""

    request: Request
    request_id: str
    inbound_request_id: str | None
    operation: str
    caller: Principal | None = None
    body: Body | None = None


class Api:
    def __init__(self, services: Callable[[], Awaitable[Services]]) -> None:
        self._services = services
        self._recording: set[asyncio.Task[None]] = set()

    async def answer(self, endpoint: Endpoint, request: Request) -> Response:
        """The response to a request at this endpoint: always one, a problem document at worst."""
        exchange = _Exchange(
            request,
            request_id.own(),
            request_id.inbound(request.headers.get("x-request-id")),
            endpoint.operation_name(request.method),
        )
        origins: frozenset[str] = frozenset()
        try:
            services = await self._services()
            origins = services.settings.allowed_origins
            response = await self._refusable(services, endpoint, exchange)
        except Refusal as refusal:
            response = _problem(refusal, exchange.request_id)
        except Exception:  # the host would answer an empty 500 without a word
            log.exception("a defect", extra={"request_id": exchange.request_id})
            response = _problem(Defect(), exchange.request_id)
        return replace(
            response,
            headers={
                **_ALWAYS,
                "X-Request-ID": exchange.request_id,
                **cors.headers(request.headers.get("origin"), origins),
                **response.headers,
            },
        )

    async def _refusable(
        self, services: Services, endpoint: Endpoint, exchange: _Exchange
    ) -> Response:
        try:
            return await self._perform(services, endpoint, exchange)
        except Refusal as refusal:
            await self._record(services, exchange, refusal)
            raise

    async def _perform(
        self, services: Services, endpoint: Endpoint, exchange: _Exchange
    ) -> Response:
        method = exchange.request.method
        if method == "OPTIONS":
            return Response(204, headers=cors.preflight(endpoint.allow))
        operation = endpoint.operations.get(method)
        if operation is None:
            raise MethodNotAllowed(endpoint.allow)
        if isinstance(operation, OpenOperation):
            return await operation.act(services, exchange.request)
        return await self._call(services, operation, exchange)

    async def _call(
        self, services: Services, operation: Operation, exchange: _Exchange
    ) -> Response:
        at, request = services.clock(), exchange.request
        exchange.caller = await services.authenticator.authenticate(
            request.headers.get("authorization"), at
        )
        _permit(exchange.caller, operation, services.settings.environment)
        exchange.body = await _read_body(operation, request)
        call = Call(
            exchange.caller, at, operation.name, exchange.request_id, exchange.inbound_request_id
        )
        if not operation.decides_blocks:
            _refuse_blocked(exchange.caller, await services.evidences.blocks(), at)
        return _response(await operation.act(services, call, request, exchange.body))

    async def _record(self, services: Services, exchange: _Exchange, refusal: Refusal) -> None:
        """A refusal is answered once it is on the trail; a failure does not wait for it as well."""
        log.info(
            "request refused",
            extra={
                "operation": exchange.operation,
                "code": refusal.code,
                "reason": refusal.reason,
                "request_id": exchange.request_id,
            },
        )
        event = _refused(exchange, refusal, services)
        if refusal.status < _SERVER_ERROR:
            await services.refusals.record(event)
            return
        task = asyncio.create_task(_record_when_possible(services, event), name="record failure")
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)


async def _record_when_possible(services: Services, event: Event) -> None:
    try:
        await services.refusals.record(event)
    except AuditUnavailable as error:
        log.warning("a failure is not on the trail", extra={"reason": error.reason})


def _response(answered: Answered) -> Response:
    if answered is None:
        return Response(204)
    if isinstance(answered, Response):
        return answered
    reply = answered if isinstance(answered, Reply) else Reply(answered)
    return Response(
        201 if reply.is_new else 200,
        reply.body.model_dump_json(exclude_none=True).encode(),
        "application/json",
        {"ETag": reply.etag} if reply.etag else {},
    )


def _refuse_blocked(caller: Principal, blocks: Blocks, now: datetime) -> None:
    blocked_as = blocks.block_of(caller, now)
    if blocked_as is not None:
        raise CallerBlocked(reason=f"{blocked_as}_blocked")


def _permit(caller: Principal, operation: Operation, environment: str) -> None:
    if not operation.permits(caller, environment):
        names = [name for permission in operation.allowed_to for name in permission]
        raise PermissionLacking(" ".join(names))


async def _read_body(operation: Operation, request: Request) -> Body | None:
    if operation.body is None:
        return None
    if len(request.body) > operation.body_limit:
        raise BodyTooLarge(f"At most {operation.body_limit} bytes are accepted here.")
    if not request.body and operation.body_optional:
        return operation.body()
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower()
    if media_type.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise MediaTypeUnsupported("The Content-Type must be application/json, in UTF-8.")
    if operation.body_limit > BODY_LIMIT:  # in a thread: other requests would wait for it
        return await asyncio.to_thread(operation.body.parse, request.body)
    return operation.body.parse(request.body)


def _problem(refusal: Refusal, own_request_id: str) -> Response:
    return Response(
        refusal.status,
        problems.problem(refusal, own_request_id),
        problems.MEDIA_TYPE,
        refusal.headers(),
    )


def _refused(exchange: _Exchange, refusal: Refusal, services: Services) -> Event:
    agent_name, session_id, registration_id = _subject(exchange)
    return Event(
        at=services.clock(),
        action="request.refused",
        outcome="failed" if refusal.status >= _SERVER_ERROR else "refused",
        reason=refusal.reason,
        rule=refusal.code,
        operation=exchange.operation,
        **actor(exchange.caller),
        agent_name=agent_name,
        session_id=session_id,
        registration_id=registration_id,
        request_id=exchange.request_id,
        inbound_request_id=exchange.inbound_request_id,
    )


def _subject(exchange: _Exchange) -> tuple[str | None, str | None, str | None]:
    """Agent, session and registration that the request is about, each only if well formed."""
    name, object_id = exchange.request.path.get("name"), exchange.request.path.get("id")
    if isinstance(exchange.body, StartSession):
        return exchange.body.agent, None, None
    if name is not None:
        return (name if is_agent_name(name) else None), None, None
    agent_name = agent_name_in(object_id) if object_id else None
    if agent_name is None:
        return getattr(exchange.body, "agent_name", None), None, None
    if exchange.operation.startswith("session"):
        return agent_name, object_id, None
    return agent_name, None, object_id
