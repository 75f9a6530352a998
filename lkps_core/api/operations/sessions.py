"""Sessions: start, join, invite, list, read, end."""

from typing import get_args

from lkps_core.agents.names import agent_name_in, is_agent_name
from lkps_core.api.http import Request
from lkps_core.api.operations.operation import Operation, with_body, without_body
from lkps_core.api.reading import idempotency_key, page_of, refuse_others
from lkps_core.call import Call
from lkps_core.errors import (
    AgentNotCallable,
    AgentOffline,
    EditedMeanwhile,
    GroupsOverage,
    HeaderInvalid,
    InvitationInvalid,
    KeyReused,
    LiveKitUnavailable,
    QueryInvalid,
    SessionEnded,
    SessionNotFound,
    StorageUnavailable,
    TooManyGuests,
    TooManyInvitations,
    TooManySessions,
)
from lkps_core.identity.permissions import ADMINISTER, MANAGE_AGENTS, START_SESSIONS
from lkps_core.services import Services
from lkps_core.sessions.listing import Listed, Wanted
from lkps_core.wire.bodies import Answer
from lkps_core.wire.sessions import (
    EndSession,
    Invited,
    InviteToSession,
    JoinSession,
    SessionAnswer,
    SessionJoined,
    SessionList,
    SessionStarted,
    StartSession,
)

_SEES_SESSIONS = (START_SESSIONS, MANAGE_AGENTS, ADMINISTER)
_LIST = ("agent_name", "state", "limit", "after")


async def _list(services: Services, call: Call, request: Request) -> Answer:
    refuse_others(request, _LIST)
    name, state, page = request.query.get("agent_name", ""), _state(request), page_of(request)
    if not is_agent_name(name):
        raise QueryInvalid("`agent_name` must be there: sessions are listed agent by agent.")
    if page.after and agent_name_in(page.after) != name:
        raise QueryInvalid("`after` must be the `next` of the page before.")
    return await services.listing.listed(call, Wanted(name, state), page)


def _state(request: Request) -> Listed | None:
    states: tuple[Listed, ...] = get_args(Listed.__value__)
    asked = request.query.get("state")
    found = next((one for one in states if one == asked), None)
    if asked is not None and found is None:
        raise QueryInvalid(f"`state` must be one of {', '.join(states)}.")
    return found


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
        name="session_join",
        method="POST",
        path="session/{id}/token",
        summary="Get another token for a session of yours, or the first for one you are invited to",
        allowed_to=(START_SESSIONS,),
        act=with_body(
            JoinSession,
            lambda services, call, request, body: services.joining.join(
                call, request.path["id"], body
            ),
        ),
        body=JoinSession,
        body_optional=True,
        answer=SessionJoined,
        may_refuse=(
            SessionNotFound,
            InvitationInvalid,
            SessionEnded,
            TooManyGuests,
            AgentNotCallable,
            GroupsOverage,
            TooManySessions,
            EditedMeanwhile,
            LiveKitUnavailable,
            StorageUnavailable,
        ),
    ),
    Operation(
        name="session_invite",
        method="POST",
        path="session/{id}/invitations",
        summary="Invite one other caller into a session that you started",
        allowed_to=(START_SESSIONS,),
        act=with_body(
            InviteToSession,
            lambda services, call, request, body: services.inviting.invite(
                call, request.path["id"], body
            ),
        ),
        body=InviteToSession,
        body_optional=True,
        answer=Invited,
        may_refuse=(
            SessionNotFound,
            SessionEnded,
            TooManyInvitations,
            EditedMeanwhile,
            StorageUnavailable,
        ),
        may_create=True,
    ),
    Operation(
        name="sessions_list",
        method="GET",
        path="sessions",
        summary="List your sessions with an agent; all of them for its owners and admins",
        allowed_to=_SEES_SESSIONS,
        act=without_body(_list),
        body=None,
        answer=SessionList,
        may_refuse=(QueryInvalid, StorageUnavailable),
        query=_LIST,
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
