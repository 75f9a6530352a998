"""Agents: list, read, assign, change, rotate their routing secret."""

from lkps_core.api.operations.operation import Operation, with_body, without_body
from lkps_core.api.reading import expected, page_of
from lkps_core.errors import (
    AgentNotFound,
    EditedMeanwhile,
    HeaderInvalid,
    LastOwner,
    PreconditionFailed,
    PreconditionRequired,
    QueryInvalid,
    RotationUnderWay,
    RunnerMayNotManage,
    StorageUnavailable,
    WouldLockYouOut,
)
from lkps_core.identity.permissions import ADMINISTER, MANAGE_AGENTS
from lkps_core.wire.agents import (
    AgentAnswer,
    AgentList,
    AssignAgent,
    ChangeAgent,
    Rotated,
    RotateSecret,
)

MANAGERS = (MANAGE_AGENTS, ADMINISTER)

AGENTS = (
    Operation(
        name="agents_list",
        method="GET",
        path="agents",
        summary="List the agents that you manage; all of them for admins",
        allowed_to=MANAGERS,
        act=without_body(
            lambda services, call, request: services.assigning.listed(call, page_of(request))
        ),
        body=None,
        answer=AgentList,
        may_refuse=(QueryInvalid, StorageUnavailable),
        query=("limit", "after"),
    ),
    Operation(
        name="agent_show",
        method="GET",
        path="agents/{name}",
        summary="Read an agent and which of its instances are online",
        allowed_to=MANAGERS,
        act=without_body(
            lambda services, call, request: services.assigning.show(call, request.path["name"])
        ),
        body=None,
        answer=AgentAnswer,
        may_refuse=(AgentNotFound, StorageUnavailable),
    ),
    Operation(
        name="agent_assign",
        method="PUT",
        path="agents/{name}",
        summary="Assign an agent name to its runners and owners",
        allowed_to=(ADMINISTER,),
        act=with_body(
            AssignAgent,
            lambda services, call, request, body: services.assigning.assign(
                call, request.path["name"], body, expected(request)
            ),
        ),
        body=AssignAgent,
        answer=AgentAnswer,
        may_refuse=(
            LastOwner,
            HeaderInvalid,
            PreconditionRequired,
            PreconditionFailed,
            EditedMeanwhile,
            StorageUnavailable,
        ),
        headers=("If-Match", "If-None-Match"),
        may_create=True,
    ),
    Operation(
        name="agent_change",
        method="PATCH",
        path="agents/{name}",
        summary="Change how an agent may be called, its owners, its limits",
        allowed_to=MANAGERS,
        act=with_body(
            ChangeAgent,
            lambda services, call, request, body: services.assigning.change(
                call, request.path["name"], body, expected(request)
            ),
        ),
        body=ChangeAgent,
        answer=AgentAnswer,
        may_refuse=(
            AgentNotFound,
            RunnerMayNotManage,
            LastOwner,
            WouldLockYouOut,
            HeaderInvalid,
            PreconditionRequired,
            PreconditionFailed,
            EditedMeanwhile,
            StorageUnavailable,
        ),
        headers=("If-Match",),
    ),
    Operation(
        name="agent_rotate",
        method="POST",
        path="agents/{name}/rotate",
        summary="Rotate an agent's routing secret",
        allowed_to=MANAGERS,
        act=with_body(
            RotateSecret,
            lambda services, call, request, body: services.rotating.rotate(
                call, request.path["name"], body
            ),
        ),
        body=RotateSecret,
        answer=Rotated,
        may_refuse=(
            AgentNotFound,
            RunnerMayNotManage,
            RotationUnderWay,
            EditedMeanwhile,
            StorageUnavailable,
        ),
    ),
)
