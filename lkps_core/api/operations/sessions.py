"""Sessions: start, read, end."""

from lkps_core.api.operations.operation import Operation, with_body, without_body
from lkps_core.api.reading import idempotency_key
from lkps_core.errors import (
    AgentNotCallable,
    AgentOffline,
    EditedMeanwhile,
    GroupsOverage,
    HeaderInvalid,
    KeyReused,
    LiveKitUnavailable,
    SessionEnded,
    SessionNotFound,
    StorageUnavailable,
    TooManySessions,
)
from lkps_core.identity.permissions import ADMINISTER, MANAGE_AGENTS, START_SESSIONS
from lkps_core.wire.sessions import EndSession, SessionAnswer, SessionStarted, StartSession

_SEES_SESSIONS = (START_SESSIONS, MANAGE_AGENTS, ADMINISTER)

SESSIONS = (
    Operation(
        name="session_start",
        method="POST",
        path="session/start",
        summary="Start a session with an agent and get the token that joins its room",
        allowed_to=(START_SESSIONS,),
        act=with_body(
            StartSession,
            lambda services, call, request, body: services.starting.start(
                call, body, idempotency_key(request)
            ),
        ),
        body=StartSession,
        answer=SessionStarted,
        may_refuse=(
            AgentNotCallable,
            GroupsOverage,
            AgentOffline,
            HeaderInvalid,
            KeyReused,
            TooManySessions,
            SessionEnded,
            EditedMeanwhile,
            LiveKitUnavailable,
            StorageUnavailable,
        ),
        headers=("Idempotency-Key",),
        decides_blocks=True,
    ),
    Operation(
        name="session_show",
        method="GET",
        path="session/{id}",
        summary="Read a session and whether its agent is there",
        allowed_to=_SEES_SESSIONS,
        act=without_body(
            lambda services, call, request: services.ending.show(call, request.path["id"])
        ),
        body=None,
        answer=SessionAnswer,
        may_refuse=(SessionNotFound, LiveKitUnavailable, StorageUnavailable),
    ),
    Operation(
        name="session_end",
        method="POST",
        path="session/{id}/end",
        summary="End a session now, for everyone in it",
        allowed_to=_SEES_SESSIONS,
        act=without_body(
            lambda services, call, request: services.ending.end(call, request.path["id"])
        ),
        body=EndSession,
        body_optional=True,
        answer=SessionAnswer,
        may_refuse=(SessionNotFound, EditedMeanwhile, LiveKitUnavailable, StorageUnavailable),
    ),
)
