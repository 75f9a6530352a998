"""An operation of the API: where it is, who may, what it takes and answers, and how it refuses."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lkps_core.api.http import Request, Response
from lkps_core.call import Call
from lkps_core.errors import AuditUnavailable, CallerBlocked, RateLimited, Refusal
from lkps_core.identity.permissions import Permission
from lkps_core.identity.principal import Principal
from lkps_core.reply import Reply
from lkps_core.services import Services
from lkps_core.wire.bodies import Answer, Body

BODY_LIMIT = 32 * 1024

EVERY_OPERATION_MAY_REFUSE: tuple[type[Refusal], ...] = (
    CallerBlocked,
    RateLimited,
    AuditUnavailable,
)

type Answered = Reply | Answer | Response | None
type Act = Callable[[Services, Call, Request, Body | None], Awaitable[Answered]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An authenticated operation, for callers with one of the permissions in `allowed_to`.

    `may_refuse` names what the use-case itself can raise; what every operation can be refused
    for (credentials, form, a block of the caller, the trail) is added by the description.
    `media_type` is that of an answer which is no JSON object.
    `decides_blocks` says that its own decision looks at blocks, in the same round trip.
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
    body_limit: int = BODY_LIMIT
    users_outside_prod_only: bool = False
    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    may_create: bool = False
    media_type: str | None = None
    decides_blocks: bool = False

    def permits(self, caller: Principal, environment: str) -> bool:
        if caller.kind == "user" and self.users_outside_prod_only and environment == "prod":
            return False
        return caller.may(*self.allowed_to)


def with_body[B: Body](
    kind: type[B], act: Callable[[Services, Call, Request, B], Awaitable[Answered]]
) -> Act:
    """An act on a body of this kind, which is the one that its operation names."""

    async def on_body(
        services: Services, call: Call, request: Request, body: Body | None
    ) -> Answered:
        assert isinstance(body, kind)  # noqa: S101  the table pairs them
        return await act(services, call, request, body)

    return on_body


def without_body(act: Callable[[Services, Call, Request], Awaitable[Answered]]) -> Act:
    async def alone(services: Services, call: Call, request: Request, _: Body | None) -> Answered:
        return await act(services, call, request)

    return alone
