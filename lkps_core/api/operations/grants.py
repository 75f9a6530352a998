"""Grants: which client applications may call an agent."""

from lkps_core.api.operations.agents import MANAGERS
from lkps_core.api.operations.operation import Operation, with_body, without_body
from lkps_core.api.reading import expected, page_of
from lkps_core.errors import (
    AgentNotFound,
    EditedMeanwhile,
    GrantExists,
    GrantNotFound,
    HeaderInvalid,
    PreconditionFailed,
    PreconditionRequired,
    QueryInvalid,
    RunnerMayNotManage,
    StorageUnavailable,
    TooManyGrants,
)
from lkps_core.wire.grants import ChangeGrant, CreateGrant, GrantAnswer, GrantList

_LIST, _ONE = "agents/{name}/grants", "agents/{name}/grants/{grant_id}"
_OF_MANAGERS = (AgentNotFound, RunnerMayNotManage)

GRANTS = (
    Operation(
        name="grants_list",
        method="GET",
        path=_LIST,
        summary="List an agent's grants",
        allowed_to=MANAGERS,
        act=without_body(
            lambda services, call, request: services.granting.listed(
                call, request.path["name"], page_of(request)
            )
        ),
        body=None,
        answer=GrantList,
        may_refuse=(*_OF_MANAGERS, QueryInvalid, StorageUnavailable),
        query=("limit", "after"),
    ),
    Operation(
        name="grant_create",
        method="POST",
        path=_LIST,
        summary="Grant an agent to a client application",
        allowed_to=MANAGERS,
        act=with_body(
            CreateGrant,
            lambda services, call, request, body: services.granting.create(
                call, request.path["name"], body
            ),
        ),
        body=CreateGrant,
        answer=GrantAnswer,
        may_refuse=(
            *_OF_MANAGERS,
            GrantExists,
            TooManyGrants,
            EditedMeanwhile,
            StorageUnavailable,
        ),
        may_create=True,
    ),
    Operation(
        name="grant_show",
        method="GET",
        path=_ONE,
        summary="Read a grant",
        allowed_to=MANAGERS,
        act=without_body(
            lambda services, call, request: services.granting.show(
                call, request.path["name"], request.path["grant_id"]
            )
        ),
        body=None,
        answer=GrantAnswer,
        may_refuse=(*_OF_MANAGERS, GrantNotFound, StorageUnavailable),
    ),
    Operation(
        name="grant_change",
        method="PATCH",
        path=_ONE,
        summary="Change a grant's terms",
        allowed_to=MANAGERS,
        act=with_body(
            ChangeGrant,
            lambda services, call, request, body: services.granting.change(
                call, request.path["name"], request.path["grant_id"], body, expected(request)
            ),
        ),
        body=ChangeGrant,
        answer=GrantAnswer,
        may_refuse=(
            *_OF_MANAGERS,
            GrantNotFound,
            HeaderInvalid,
            PreconditionRequired,
            PreconditionFailed,
            EditedMeanwhile,
            StorageUnavailable,
        ),
        headers=("If-Match",),
    ),
    Operation(
        name="grant_remove",
        method="DELETE",
        path=_ONE,
        summary="Take a grant away; sessions that are open stay",
        allowed_to=MANAGERS,
        act=without_body(
            lambda services, call, request: services.granting.remove(
                call, request.path["name"], request.path["grant_id"], expected(request)
            )
        ),
        body=None,
        answer=None,
        may_refuse=(
            *_OF_MANAGERS,
            GrantNotFound,
            HeaderInvalid,
            PreconditionFailed,
            EditedMeanwhile,
            StorageUnavailable,
        ),
        headers=("If-Match",),
    ),
)
