"""For admins: the kill switch, the platform's limits, and a check of what it stands on."""

from lkps_core.api.operations.operation import Operation, with_body, without_body
from lkps_core.api.reading import expected, page_of
from lkps_core.errors import (
    EditedMeanwhile,
    HeaderInvalid,
    LiveKitUnavailable,
    PreconditionFailed,
    PreconditionRequired,
    QueryInvalid,
    RevocationNotFound,
    StorageUnavailable,
    WouldBlockYourself,
)
from lkps_core.identity.permissions import ADMINISTER
from lkps_core.wire.limits import LimitsAnswer, SetLimits
from lkps_core.wire.platform import PlatformChecked
from lkps_core.wire.revocations import RevocationAnswer, RevocationList, Revoke, Revoked

PLATFORM = (
    Operation(
        name="revocation_create",
        method="POST",
        path="revocations",
        summary="Block an agent, an application, a user or a session, and end its live sessions",
        allowed_to=(ADMINISTER,),
        act=with_body(Revoke, lambda services, call, _, body: services.revoking.revoke(call, body)),
        body=Revoke,
        answer=Revoked,
        may_refuse=(WouldBlockYourself, EditedMeanwhile, StorageUnavailable),
        may_create=True,
    ),
    Operation(
        name="revocations_list",
        method="GET",
        path="revocations",
        summary="List the blocks that hold",
        allowed_to=(ADMINISTER,),
        act=without_body(
            lambda services, call, request: services.revoking.listed(call, page_of(request))
        ),
        body=None,
        answer=RevocationList,
        may_refuse=(QueryInvalid, StorageUnavailable),
        query=("limit", "after"),
    ),
    Operation(
        name="revocation_show",
        method="GET",
        path="revocations/{id}",
        summary="Read a block",
        allowed_to=(ADMINISTER,),
        act=without_body(lambda services, _, request: services.revoking.show(request.path["id"])),
        body=None,
        answer=RevocationAnswer,
        may_refuse=(RevocationNotFound, StorageUnavailable),
    ),
    Operation(
        name="revocation_lift",
        method="DELETE",
        path="revocations/{id}",
        summary="Lift a block",
        allowed_to=(ADMINISTER,),
        act=without_body(
            lambda services, call, request: services.revoking.lift(call, request.path["id"])
        ),
        body=None,
        answer=None,
        may_refuse=(RevocationNotFound, EditedMeanwhile, StorageUnavailable),
    ),
    Operation(
        name="limits_show",
        method="GET",
        path="limits",
        summary="Read the platform's limits",
        allowed_to=(ADMINISTER,),
        act=without_body(lambda services, _, __: services.limiting.show()),
        body=None,
        answer=LimitsAnswer,
        may_refuse=(StorageUnavailable,),
    ),
    Operation(
        name="limits_set",
        method="PUT",
        path="limits",
        summary="Set the platform's limits",
        allowed_to=(ADMINISTER,),
        act=with_body(
            SetLimits,
            lambda services, call, request, body: services.limiting.set(
                call, body, expected(request)
            ),
        ),
        body=SetLimits,
        answer=LimitsAnswer,
        may_refuse=(
            HeaderInvalid,
            PreconditionRequired,
            PreconditionFailed,
            EditedMeanwhile,
            StorageUnavailable,
        ),
        headers=("If-Match",),
    ),
    Operation(
        name="platform_check",
        method="POST",
        path="platform/check",
        summary="Find out on LiveKit whether it is set up as LKPS needs it",
        allowed_to=(ADMINISTER,),
        act=without_body(lambda services, call, _: services.checkup.check(call)),
        body=None,
        answer=PlatformChecked,
        may_refuse=(LiveKitUnavailable, StorageUnavailable),
    ),
)
