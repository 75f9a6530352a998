"""Registrations: an instance of an agent comes online, renews, goes."""

from lkps_core.api.operations.operation import Operation, with_body, without_body
from lkps_core.errors import (
    AgentBlocked,
    AgentNotRunnable,
    EditedMeanwhile,
    LiveKitUnavailable,
    RegistrationNotFound,
    SessionNotFound,
    StorageUnavailable,
)
from lkps_core.identity.permissions import RUN_AGENTS
from lkps_core.wire.agents import (
    RegisterAgent,
    Registered,
    Renewed,
    RenewRegistration,
    ReportJob,
)

REGISTRATIONS = (
    Operation(
        name="agent_register",
        method="POST",
        path="agent/register",
        summary="Register an instance of an agent and get its LiveKit agent token",
        allowed_to=(RUN_AGENTS,),
        users_outside_prod_only=True,
        act=with_body(
            RegisterAgent, lambda services, call, _, body: services.registering.register(call, body)
        ),
        body=RegisterAgent,
        answer=Registered,
        may_refuse=(AgentNotRunnable, AgentBlocked, StorageUnavailable),
    ),
    Operation(
        name="agent_renew",
        method="POST",
        path="agent/registrations/{id}/renew",
        summary="Extend a registration's lease; brings a new token when one is due",
        allowed_to=(RUN_AGENTS,),
        users_outside_prod_only=True,
        act=with_body(
            RenewRegistration,
            lambda services, call, request, body: services.registering.renew(
                call, request.path["id"], body
            ),
        ),
        body=RenewRegistration,
        answer=Renewed,
        may_refuse=(
            RegistrationNotFound,
            AgentNotRunnable,
            AgentBlocked,
            EditedMeanwhile,
            StorageUnavailable,
        ),
    ),
    Operation(
        name="agent_job_report",
        method="POST",
        path="agent/registrations/{id}/jobs",
        summary="Tell what became of a session's job",
        allowed_to=(RUN_AGENTS,),
        users_outside_prod_only=True,
        act=with_body(
            ReportJob,
            lambda services, call, request, body: services.reporting.report(
                call, request.path["id"], body
            ),
        ),
        body=ReportJob,
        answer=None,
        may_refuse=(
            RegistrationNotFound,
            AgentNotRunnable,
            SessionNotFound,
            EditedMeanwhile,
            LiveKitUnavailable,
            StorageUnavailable,
        ),
    ),
    Operation(
        name="agent_deregister",
        method="DELETE",
        path="agent/registrations/{id}",
        summary="Take an instance of an agent offline",
        allowed_to=(RUN_AGENTS,),
        users_outside_prod_only=True,
        act=without_body(
            lambda services, call, request: services.registering.deregister(
                call, request.path["id"]
            )
        ),
        body=None,
        answer=None,
        may_refuse=(RegistrationNotFound, AgentNotRunnable, StorageUnavailable),
    ),
)
