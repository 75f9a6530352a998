"""The sweep, for admins: run it now, ask what it would do, read how it went."""

from lkps_core.api.operations.operation import Operation, with_body, without_body
from lkps_core.errors import LiveKitUnavailable, StorageUnavailable, SweepUnderWay
from lkps_core.identity.permissions import ADMINISTER
from lkps_core.wire.sweep import RunAnswer, Sweep, SweepAnswer

SWEEP = (
    Operation(
        name="sweep_run",
        method="POST",
        path="sweep",
        summary="Run the sweep now, or tell what a run would do",
        allowed_to=(ADMINISTER,),
        act=with_body(Sweep, lambda services, call, _, body: services.sweeping.sweep(call, body)),
        body=Sweep,
        answer=RunAnswer,
        may_refuse=(SweepUnderWay, LiveKitUnavailable, StorageUnavailable),
    ),
    Operation(
        name="sweep_show",
        method="GET",
        path="sweep",
        summary="Read how the last runs of the sweep went",
        allowed_to=(ADMINISTER,),
        act=without_body(lambda services, _, __: services.sweeping.show()),
        body=None,
        answer=SweepAnswer,
        may_refuse=(StorageUnavailable,),
    ),
)
