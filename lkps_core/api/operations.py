"""What the API does, one entry an operation: the table that routes, describes and tests read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lkps_core.api.http import Request
from lkps_core.call import Call
from lkps_core.errors import (
    AgentNotCallable,
    AgentNotFound,
    AgentNotRunnable,
    AgentOffline,
    AuditUnavailable,
    EditedMeanwhile,
    HeaderInvalid,
    KeyReused,
    LiveKitUnavailable,
    Refusal,
    RegistrationNotFound,
    SessionEnded,
    SessionNotFound,
    StorageUnavailable,
)
from lkps_core.identity.permissions import (
    ADMINISTER,
    MANAGE_AGENTS,
    RUN_AGENTS,
    START_SESSIONS,
    Permission,
)
from lkps_core.identity.principal import Principal
from lkps_core.services import Services
from lkps_core.wire import agents, sessions
from lkps_core.wire.bodies import Answer, Body

_KEY_LENGTH = 255

type Act = Callable[[Services, Call, Request, Body | None], Awaitable[Answer | None]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An authenticated operation, for callers with one of the permissions in `allowed_to`.

    `may_refuse` names what the use-case itself can raise; what every operation can be refused
    for (credentials, form, the trail) is added by the description.
    """

    name: str
    method: str
    path: str
    summary: str
    allowed_to: tuple[Permission, ...]
    act: Act
    body: type[Body] | None
    answer: type[Answer] | None
    may_refuse: tuple[type[Refusal], ...]
    body_optional: bool = False
    users_outside_prod_only: bool = False
    headers: tuple[str, ...] = ()

    def permits(self, caller: Principal, environment: str) -> bool:
        if caller.kind == "user" and self.users_outside_prod_only and environment == "prod":
            return False
        return caller.may(*self.allowed_to)


async def _register(services: Services, call: Call, _: Request, body: Body | None) -> Answer:
    assert isinstance(body, agents.RegisterAgent)  # noqa: S101  the table pairs them
    return await services.registering.register(call, body)


async def _renew(services: Services, call: Call, request: Request, body: Body | None) -> Answer:
    assert isinstance(body, agents.RenewRegistration)  # noqa: S101
    return await services.registering.renew(call, request.path["id"], body)


async def _deregister(services: Services, call: Call, request: Request, _: Body | None) -> None:
    await services.registering.deregister(call, request.path["id"])


async def _show_agent(services: Services, call: Call, request: Request, _: Body | None) -> Answer:
    return await services.assigning.show(call, request.path["name"])


async def _assign(services: Services, call: Call, request: Request, body: Body | None) -> Answer:
    assert isinstance(body, agents.AssignAgent)  # noqa: S101
    return await services.assigning.assign(call, request.path["name"], body)


async def _start(services: Services, call: Call, request: Request, body: Body | None) -> Answer:
    assert isinstance(body, sessions.StartSession)  # noqa: S101
    return await services.starting.start(call, body, idempotency_key(request))


async def _show(services: Services, call: Call, request: Request, _: Body | None) -> Answer:
    return await services.ending.show(call, request.path["id"])


async def _end(services: Services, call: Call, request: Request, _: Body | None) -> Answer:
    return await services.ending.end(call, request.path["id"])


def idempotency_key(request: Request) -> str | None:
    """Visible ASCII, at most 255 characters (draft-ietf-httpapi-idempotency-key-header)."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    visible = key.isascii() and key.isprintable() and " " not in key
    if not visible or not 1 <= len(key) <= _KEY_LENGTH:
        raise HeaderInvalid("Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return key


_SEES_SESSIONS = (START_SESSIONS, MANAGE_AGENTS, ADMINISTER)

OPERATIONS = (
    Operation(
        name="agent_register",
        method="POST",
        path="agent/register",
        summary="Register an instance of an agent and get its LiveKit agent token",
        allowed_to=(RUN_AGENTS,),
        users_outside_prod_only=True,
        act=_register,
        body=agents.RegisterAgent,
        answer=agents.Registered,
        may_refuse=(AgentNotRunnable, StorageUnavailable),
    ),
    Operation(
        name="agent_renew",
        method="POST",
        path="agent/registrations/{id}/renew",
        summary="Extend a registration's lease; brings a new token when one is due",
        allowed_to=(RUN_AGENTS,),
        users_outside_prod_only=True,
        act=_renew,
        body=agents.RenewRegistration,
        answer=agents.Renewed,
        may_refuse=(RegistrationNotFound, AgentNotRunnable, EditedMeanwhile, StorageUnavailable),
    ),
    Operation(
        name="agent_deregister",
        method="DELETE",
        path="agent/registrations/{id}",
        summary="Take an instance of an agent offline",
        allowed_to=(RUN_AGENTS,),
        users_outside_prod_only=True,
        act=_deregister,
        body=None,
        answer=None,
        may_refuse=(RegistrationNotFound, AgentNotRunnable, StorageUnavailable),
    ),
    Operation(
        name="agent_show",
        method="GET",
        path="agents/{name}",
        summary="Read an agent and which of its instances are online",
        allowed_to=(MANAGE_AGENTS, ADMINISTER),
        act=_show_agent,
        body=None,
        answer=agents.AgentAnswer,
        may_refuse=(AgentNotFound, StorageUnavailable),
    ),
    Operation(
        name="agent_assign",
        method="PUT",
        path="agents/{name}",
        summary="Assign an agent name to its runners and owners",
        allowed_to=(ADMINISTER,),
        act=_assign,
        body=agents.AssignAgent,
        answer=agents.AgentAnswer,
        may_refuse=(EditedMeanwhile, StorageUnavailable),
    ),
    Operation(
        name="session_start",
        method="POST",
        path="session/start",
        summary="Start a session with an agent and get the token that joins its room",
        allowed_to=(START_SESSIONS,),
        act=_start,
        body=sessions.StartSession,
        answer=sessions.SessionStarted,
        may_refuse=(
            AgentNotCallable,
            AgentOffline,
            HeaderInvalid,
            KeyReused,
            SessionEnded,
            EditedMeanwhile,
            LiveKitUnavailable,
            StorageUnavailable,
        ),
        headers=("Idempotency-Key",),
    ),
    Operation(
        name="session_show",
        method="GET",
        path="session/{id}",
        summary="Read a session and whether its agent is there",
        allowed_to=_SEES_SESSIONS,
        act=_show,
        body=None,
        answer=sessions.SessionAnswer,
        may_refuse=(SessionNotFound, LiveKitUnavailable, StorageUnavailable),
    ),
    Operation(
        name="session_end",
        method="POST",
        path="session/{id}/end",
        summary="End a session now, for everyone in it",
        allowed_to=_SEES_SESSIONS,
        act=_end,
        body=sessions.EndSession,
        body_optional=True,
        answer=sessions.SessionAnswer,
        may_refuse=(SessionNotFound, EditedMeanwhile, LiveKitUnavailable, StorageUnavailable),
    ),
)

EVERY_OPERATION_MAY_REFUSE: tuple[type[Refusal], ...] = (AuditUnavailable,)
