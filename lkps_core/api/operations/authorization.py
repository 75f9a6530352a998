"""Who am I, may I, and policy as code."""

from lkps_core import __version__
from lkps_core.api.http import Request
from lkps_core.api.operations.agents import MANAGERS
from lkps_core.api.operations.operation import Operation, with_body, without_body
from lkps_core.api.reading import expected
from lkps_core.call import Call
from lkps_core.errors import (
    AgentNotFound,
    EditedMeanwhile,
    HeaderInvalid,
    PreconditionFailed,
    RunnerMayNotManage,
    StorageUnavailable,
)
from lkps_core.identity.permissions import (
    ADMINISTER,
    AUDIT,
    MANAGE_AGENTS,
    RUN_AGENTS,
    START_SESSIONS,
)
from lkps_core.services import Services
from lkps_core.wire.authorization import CheckAuthorization, Checked
from lkps_core.wire.bodies import Answer
from lkps_core.wire.policy import Applied, Planned, PolicyAnswer, PolicyDocument
from lkps_core.wire.principals import WhoAmI

POLICY_LIMIT = 4 * 1024 * 1024


async def _who_am_i(services: Services, call: Call, _: Request) -> Answer:
    caller, settings = call.caller, services.settings
    return WhoAmI(
        kind=caller.kind,
        tid=caller.tid,
        oid=caller.oid,
        client_app_id=caller.azp,
        permissions=sorted(caller.permissions),
        groups=sorted(caller.groups),
        groups_overage=caller.groups_overage,
        environment=settings.environment,
        installation=settings.installation,
        version=__version__,
        livekit_url=settings.livekit_url,
    )


AUTHORIZATION = (
    Operation(
        name="whoami",
        method="GET",
        path="whoami",
        summary="Read for whom LKPS takes you",
        allowed_to=(RUN_AGENTS, START_SESSIONS, MANAGE_AGENTS, ADMINISTER, AUDIT),
        act=without_body(_who_am_i),
        body=None,
        answer=WhoAmI,
        may_refuse=(StorageUnavailable,),
    ),
    Operation(
        name="authorization_check",
        method="POST",
        path="authorization/check",
        summary="Ask whether a session could be started, by which rule, and what would change it",
        allowed_to=(START_SESSIONS, MANAGE_AGENTS, ADMINISTER),
        act=with_body(
            CheckAuthorization,
            lambda services, call, _, body: services.checking.check(call, body),
        ),
        body=CheckAuthorization,
        answer=Checked,
        may_refuse=(AgentNotFound, RunnerMayNotManage, StorageUnavailable),
        decides_blocks=True,
    ),
    Operation(
        name="policy_show",
        method="GET",
        path="policy",
        summary="Export the agents that you manage, their grants and the limits as a policy file",
        allowed_to=MANAGERS,
        act=without_body(lambda services, call, _: services.applying.export(call)),
        body=None,
        answer=PolicyAnswer,
        may_refuse=(StorageUnavailable,),
    ),
    Operation(
        name="policy_plan",
        method="POST",
        path="policy/plan",
        summary="Compare a policy file with what is live, and look for what is odd about it",
        allowed_to=MANAGERS,
        act=with_body(
            PolicyDocument, lambda services, call, _, body: services.applying.plan(call, body)
        ),
        body=PolicyDocument,
        body_limit=POLICY_LIMIT,
        answer=Planned,
        may_refuse=(StorageUnavailable,),
    ),
    Operation(
        name="policy_apply",
        method="POST",
        path="policy/apply",
        summary="Make a policy file live; applying it again changes nothing",
        allowed_to=MANAGERS,
        act=with_body(
            PolicyDocument,
            lambda services, call, request, body: services.applying.apply(
                call, body, expected(request)
            ),
        ),
        body=PolicyDocument,
        body_limit=POLICY_LIMIT,
        answer=Applied,
        may_refuse=(HeaderInvalid, PreconditionFailed, EditedMeanwhile, StorageUnavailable),
        headers=("If-Match",),
    ),
)
