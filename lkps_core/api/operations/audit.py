"""The trail over HTTP: for auditors, and for everyone what is their own."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import get_args

from lkps_core.agents.names import agent_name_in, is_agent_name
from lkps_core.api.http import Request, Response
from lkps_core.api.operations.operation import Operation, with_body, without_body
from lkps_core.api.reading import page_of, refuse_others
from lkps_core.audit.event import Outcome
from lkps_core.auditing.asking import Question
from lkps_core.call import Call
from lkps_core.errors import (
    EditedMeanwhile,
    HoldNotFound,
    QueryInvalid,
    SessionNotFound,
    SigningUnavailable,
    StorageUnavailable,
    TooManyHolds,
)
from lkps_core.identity.authority import GUID
from lkps_core.identity.permissions import (
    ADMINISTER,
    AUDIT,
    MANAGE_AGENTS,
    RUN_AGENTS,
    START_SESSIONS,
)
from lkps_core.services import Services
from lkps_core.wire.audit import (
    AuditPage,
    CheckpointList,
    HoldAnswer,
    HoldList,
    LiftHold,
    PlaceHold,
    Reindex,
    Reindexed,
    SessionReceipt,
)
from lkps_core.wire.bodies import Answer, instant_in

NDJSON = "application/x-ndjson"

MOST_ROWS = 1000
"""Of one page."""

MOST_CHECKPOINTS = 20

_ANYBODY = (AUDIT, ADMINISTER, MANAGE_AGENTS, START_SESSIONS, RUN_AGENTS)
_QUESTION = (
    "from",
    "to",
    "agent_name",
    "client_app_id",
    "user_oid",
    "session_id",
    "action",
    "outcome",
    "reason",
    "limit",
    "after",
)
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
_AFTER = re.compile(rf"{_TIME}_[0-9a-z_-]{{1,100}}~{_TIME}")
_ACTION = re.compile(r"[a-z]{1,20}\.(?:\*|[a-z_]{1,30})")
_REASON = re.compile(r"[!-~ ]{1,200}")


async def _ask(services: Services, call: Call, request: Request) -> Answer:
    refuse_others(request, _QUESTION)
    most = _whole(request, "limit", 100, MOST_ROWS)
    after = request.query.get("after", "")
    if after and not _AFTER.fullmatch(after):
        raise QueryInvalid("`after` must be the `next` of the page before.")
    return await services.inspecting.ask(call, _question(request), most, after)


def _question(request: Request) -> Question:
    query = request.query
    outcomes: tuple[Outcome, ...] = get_args(Outcome.__value__)
    forms: dict[str, Callable[[str], object]] = {
        "agent_name": is_agent_name,
        "client_app_id": GUID.fullmatch,
        "user_oid": GUID.fullmatch,
        "session_id": agent_name_in,
        "action": _ACTION.fullmatch,
        "outcome": outcomes.__contains__,
        "reason": _REASON.fullmatch,
    }
    for name, has_form in forms.items():
        if name in query and not has_form(query[name]):
            raise QueryInvalid(f"`{name}` does not have its form.")
    return Question(
        since=_instant(request, "from"),
        until=_instant(request, "to"),
        **{name: query[name] for name in forms if name in query},
    )


async def _export(services: Services, call: Call, request: Request) -> Response:
    refuse_others(request, ("from", "to", "after"))
    since, until = _instant(request, "from"), _instant(request, "to")
    if since is None or until is None or since >= until:
        raise QueryInvalid("`from` and `to` must be there, the former before the latter.")
    after = request.query.get("after", "")
    lines = await services.inspecting.export(call, since, until, after)
    return Response(200, "".join(f"{line}\n" for line in lines).encode(), NDJSON)


async def _checkpoints(services: Services, _: Call, request: Request) -> Answer:
    refuse_others(request, ("after", "limit"))
    after = _whole(request, "after", 0, 10**12, least=0) if "after" in request.query else None
    return await services.inspecting.checkpoints(
        after, _whole(request, "limit", 10, MOST_CHECKPOINTS)
    )


def _whole(request: Request, name: str, usual: int, most: int, *, least: int = 1) -> int:
    text = request.query.get(name, str(usual))
    if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
        raise QueryInvalid(f"`{name}` must be a whole number from {least} to {most}.")
    return int(text)


def _instant(request: Request, name: str) -> datetime | None:
    if name not in request.query:
        return None
    try:
        return instant_in(request.query[name])
    except ValueError as error:
        raise QueryInvalid(f"`{name}` {error}.") from error


AUDITING = (
    Operation(
        name="audit",
        method="GET",
        path="audit",
        summary="Ask the audit trail; everyone about their own rows, owners about their agents'",
        allowed_to=_ANYBODY,
        act=without_body(_ask),
        body=None,
        answer=AuditPage,
        may_refuse=(QueryInvalid, StorageUnavailable),
        query=_QUESTION,
    ),
    Operation(
        name="audit_export",
        method="GET",
        path="audit/export",
        summary="Export the trail of a period with its proofs, to be verified offline",
        allowed_to=(AUDIT,),
        act=without_body(_export),
        body=None,
        answer=None,
        media_type=NDJSON,
        may_refuse=(QueryInvalid, SigningUnavailable, StorageUnavailable),
        query=("from", "to", "after"),
    ),
    Operation(
        name="audit_checkpoints",
        method="GET",
        path="audit/checkpoints",
        summary="Read the signed checkpoints of the trail, and the key that verifies them",
        allowed_to=_ANYBODY,
        act=without_body(_checkpoints),
        body=None,
        answer=CheckpointList,
        may_refuse=(QueryInvalid, SigningUnavailable, StorageUnavailable),
        query=("after", "limit"),
    ),
    Operation(
        name="session_receipt",
        method="GET",
        path="session/{id}/receipt",
        summary="Get the proof that a session is on the trail",
        allowed_to=(START_SESSIONS, MANAGE_AGENTS, ADMINISTER, AUDIT),
        act=without_body(
            lambda services, call, request: services.receipts.receipt(call, request.path["id"])
        ),
        body=None,
        answer=SessionReceipt,
        may_refuse=(SessionNotFound, SigningUnavailable, StorageUnavailable),
    ),
    Operation(
        name="audit_reindex",
        method="POST",
        path="audit/reindex",
        summary="Have the index of some days derived anew from the trail",
        allowed_to=(ADMINISTER,),
        act=with_body(
            Reindex, lambda services, call, _, body: services.reindexing.reindex(call, body)
        ),
        body=Reindex,
        answer=Reindexed,
        may_refuse=(StorageUnavailable,),
    ),
    Operation(
        name="hold_place",
        method="POST",
        path="audit/holds",
        summary="Keep the days with rows of a subject beyond their time",
        allowed_to=(ADMINISTER,),
        act=with_body(
            PlaceHold, lambda services, call, _, body: services.holding.place(call, body)
        ),
        body=PlaceHold,
        answer=HoldAnswer,
        may_create=True,
        may_refuse=(TooManyHolds, EditedMeanwhile, StorageUnavailable),
    ),
    Operation(
        name="holds",
        method="GET",
        path="audit/holds",
        summary="List the legal holds",
        allowed_to=(ADMINISTER, AUDIT),
        act=without_body(lambda services, _, request: services.holding.listed(page_of(request))),
        body=None,
        answer=HoldList,
        may_refuse=(QueryInvalid, StorageUnavailable),
        query=("limit", "after"),
    ),
    Operation(
        name="hold_lift",
        method="DELETE",
        path="audit/holds/{id}",
        summary="Lift a legal hold",
        allowed_to=(ADMINISTER,),
        act=with_body(
            LiftHold,
            lambda services, call, request, body: services.holding.lift(
                call, request.path["id"], body
            ),
        ),
        body=LiftHold,
        body_optional=True,
        answer=None,
        may_refuse=(HoldNotFound, EditedMeanwhile, StorageUnavailable),
    ),
)
