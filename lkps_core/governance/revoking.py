"""The kill switch: block an agent, an application, a user or a session, and end what is live.

A block is a row that every decision reads. A start that was decided on rows from just before it
still has 5 s of memory and 3 s for its effects: so live sessions are ended at once, and again and
again until 9 s after it, when no such start can be under way any more.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from lkps_core.agents.names import agent_name_in
from lkps_core.agents.registrations import Registrations
from lkps_core.audit.event import Action
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import (
    BodyInvalid,
    EditedMeanwhile,
    QueryInvalid,
    Refusal,
    RevocationNotFound,
    WouldBlockYourself,
)
from lkps_core.governance.beyond_reach import beyond_reach
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.model import (
    Revocation,
    agent_subject,
    application_subject,
    session_subject,
    user_subject,
)
from lkps_core.ports import AlreadyThere, Changed, Rows, Stored
from lkps_core.reply import PageOf, Reply
from lkps_core.sessions.ending import Ending
from lkps_core.sessions.model import Session
from lkps_core.sessions.naming import user_identity
from lkps_core.sessions.unended import Sessions
from lkps_core.undoing import Undoing
from lkps_core.wire.principals import PrincipalAnswer
from lkps_core.wire.revocations import RevocationAnswer, RevocationList, Revoke, Revoked

log = logging.getLogger(__name__)

AGAIN_AFTER = 9.0
"""Seconds until the last time: 5 of memory, 3 for the effects of a start, and one to spare."""

TIMES = 3
"""Times that live sessions are ended again, lest all that came meanwhile is left to the last."""

AT_ONCE = 32

_SUBJECT = re.compile(r"(?:agent|application|user|session):[0-9a-z:-]{1,200}")


class Revoking:
    def __init__(
        self,
        evidences: Evidences,
        revocations: Rows[Revocation],
        registrations: Registrations,
        sessions: Sessions,
        ending: Ending,
        trail: Trail,
        undoing: Undoing,
        agent_token_seconds: int,
    ) -> None:
        self._evidences = evidences
        self._revocations = revocations
        self._registrations = registrations
        self._sessions = sessions
        self._ending = ending
        self._trail = trail
        self._undoing = undoing
        self._agent_token_seconds = agent_token_seconds

    async def revoke(self, call: Call, request: Revoke) -> Reply:
        """Block, and end what is live. Blocking what is blocked changes its reason and its end."""
        revocation = _revocation(call, request)
        _refuse_blocking_oneself(call, revocation)
        is_new = await self._block(call, revocation)
        concerned: dict[str, Session] = {}
        try:
            concerned |= _by_id(await self._concerned(revocation))
            found = len(concerned)
            _, not_ended = await self._end_all(call, concerned.values())
        finally:  # whatever could not be found or ended now
            self._end_later(call, revocation, concerned, TIMES)
        reach = await beyond_reach(
            self._registrations, revocation, call.at, self._agent_token_seconds
        )
        members = _members(revocation)
        return Reply(
            Revoked(
                **members,
                sessions_found=found,
                sessions_ended=found - len(not_ended),
                beyond_reach=reach,
            ),
            is_new=is_new,
        )

    async def listed(self, call: Call, page: PageOf) -> Reply:
        """The blocks that hold now."""
        if page.after and not _SUBJECT.fullmatch(page.after):
            raise QueryInvalid("`after` is not one that a list named.")
        rows = await self._revocations.page("revocation", after=page.after, most=page.most + 1)
        shown = [stored.row for stored in rows[: page.most]]
        return Reply(
            RevocationList(
                revocations=[_answer(one) for one in shown if one.holds(call.at)],
                next=shown[-1].subject if len(rows) > len(shown) else None,
            )
        )

    async def show(self, revocation_id: str) -> Reply:
        return Reply(_answer((await self._stored(revocation_id)).row))

    async def lift(self, call: Call, revocation_id: str) -> None:
        stored = await self._stored(revocation_id)
        await self._record(call, "revocation.lifted", stored.row)
        try:
            await self._revocations.remove(stored.row, stored.etag)
        except Changed as error:
            raise EditedMeanwhile from error
        self._evidences.forget_blocks()

    async def _stored(self, revocation_id: str) -> Stored[Revocation]:
        known = _SUBJECT.fullmatch(revocation_id)
        stored = await self._revocations.get("revocation", revocation_id) if known else None
        if stored is None:
            raise RevocationNotFound(reason="unknown")
        return stored

    async def _block(self, call: Call, revocation: Revocation) -> bool:
        stored = await self._revocations.get("revocation", revocation.subject)
        await self._record(
            call, "revocation.changed" if stored else "revocation.created", revocation, stored
        )
        try:
            if stored is None:
                await self._revocations.add(revocation)
            else:
                await self._revocations.replace(revocation, stored.etag)
        except (AlreadyThere, Changed) as error:
            raise EditedMeanwhile from error
        self._evidences.forget_blocks()
        return stored is None

    async def _end_all(
        self, call: Call, sessions: Iterable[Session]
    ) -> tuple[list[Refusal], list[Refusal]]:
        """End all rooms, then each session; answer what was refused of the one and the other."""
        sessions = [*sessions]
        return (
            await _refusals(partial(self._ending.close_room, one) for one in sessions),
            await _refusals(partial(self._ending.end_blocked, call, one) for one in sessions),
        )

    def _end_later(
        self, call: Call, revocation: Revocation, concerned: dict[str, Session], times: int
    ) -> None:
        step = partial(self._end_late, call, revocation, concerned, times)
        self._undoing.later(step, after=AGAIN_AFTER / TIMES)

    async def _end_late(
        self, call: Call, revocation: Revocation, concerned: dict[str, Session], times: int
    ) -> None:
        """End what has come since, and once more what was ended before: of a start that was under
        way, the room may have been made after its row had ended.

        Raises the refusal of what could not be ended, so that it is tried again.
        """
        if not (await self._evidences.blocks_now()).blocks(revocation.subject, call.at):
            return  # lifted meanwhile
        now = await self._concerned(revocation)
        concerned |= _by_id(one for one in now if revocation.holds(one.created_at))
        not_closed, not_ended = await self._end_all(call, concerned.values())
        if refused := [*not_closed, *not_ended]:
            raise refused[0]
        if times > 1:
            self._end_later(call, revocation, concerned, times - 1)

    async def _concerned(self, revocation: Revocation) -> list[Session]:
        kind, subject_id = revocation.kind, revocation.subject_id
        if kind == "session":
            stored = await self._sessions.get(agent_name_in(subject_id) or "", subject_id)
            return [stored.row] if stored and stored.row.state in ("open", "ending") else []
        if kind == "agent":
            return [*await self._sessions.unended_of(subject_id)]
        unended = await self._sessions.unended_anywhere()
        return [one for one in unended if _is_of(one, revocation)]

    async def _record(
        self,
        call: Call,
        action: Action,
        revocation: Revocation,
        before: Stored[Revocation] | None = None,
    ) -> None:
        is_lifted = action == "revocation.lifted"
        was = revocation if is_lifted else before.row if before else None
        await self._trail.record(
            call.event(
                action,
                agent_name=_agent_name(revocation),
                subject=revocation.subject,
                comment=revocation.reason,
                before=_terms(was) if was else None,
                after=None if is_lifted else _terms(revocation),
            )
        )


def _by_id(sessions: Iterable[Session]) -> dict[str, Session]:
    return {one.id: one for one in sessions}


async def _refusals(steps: Iterable[Callable[[], Awaitable[None]]]) -> list[Refusal]:
    """Take all steps, some at a time; answer what was refused."""
    at_once = asyncio.Semaphore(AT_ONCE)
    refused: list[Refusal] = []

    async def take(step: Callable[[], Awaitable[None]]) -> None:
        async with at_once:
            try:
                await step()
            except Refusal as error:
                log.warning("a blocked session has not ended yet", extra={"reason": error.reason})
                refused.append(error)

    await asyncio.gather(*(take(step) for step in steps))
    return refused


def _is_of(session: Session, revocation: Revocation) -> bool:
    starter = session.starter
    if revocation.kind == "application":
        return application_subject(starter.tid, session.azp) == revocation.subject
    is_theirs = user_subject(starter.tid, starter.oid) == revocation.subject
    return is_theirs and session.participant_identity == user_identity(starter)


def _revocation(call: Call, request: Revoke) -> Revocation:
    if request.until is not None and request.until <= call.at:
        raise BodyInvalid(
            [{"pointer": "/until", "code": "in_the_past", "detail": "must be in the future"}]
        )
    return Revocation(
        subject=_subject(call, request),
        reason=request.reason,
        blocked_by=call.caller.id,
        blocked_at=call.at,
        until=request.until,
    )


def _subject(call: Call, request: Revoke) -> str:
    if request.agent_name is not None:
        return agent_subject(request.agent_name)
    if request.client_app_id is not None:
        return application_subject(call.caller.tid, request.client_app_id)
    if request.user_oid is not None:
        return user_subject(call.caller.tid, request.user_oid)
    if request.session_id is None or agent_name_in(request.session_id) is None:
        raise BodyInvalid(
            [{"pointer": "/session_id", "code": "session_id", "detail": "must be a session's id"}]
        )
    return session_subject(request.session_id)


def _refuse_blocking_oneself(call: Call, revocation: Revocation) -> None:
    """Neither the admin nor the application that they use: then nobody there could lift it."""
    caller = call.caller
    own = (application_subject(caller.tid, caller.azp), user_subject(caller.tid, caller.oid))
    if revocation.subject in own:
        raise WouldBlockYourself


def _agent_name(revocation: Revocation) -> str | None:
    if revocation.kind == "agent":
        return revocation.subject_id
    return agent_name_in(revocation.subject_id) if revocation.kind == "session" else None


def _terms(revocation: Revocation) -> dict[str, object]:
    until = revocation.until
    return {"reason": revocation.reason, "until": until.isoformat() if until else None}


def _members(revocation: Revocation) -> dict[str, Any]:
    by = revocation.blocked_by
    return {
        "revocation_id": revocation.subject,
        "kind": revocation.kind,
        "subject": revocation.subject_id,
        "reason": revocation.reason,
        "blocked_by": PrincipalAnswer(tid=by.tid, oid=by.oid),
        "blocked_at": revocation.blocked_at,
        "until": revocation.until,
    }


def _answer(revocation: Revocation) -> RevocationAnswer:
    return RevocationAnswer.model_validate(_members(revocation))
