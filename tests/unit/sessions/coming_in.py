"""Callers who join a session that is there, and those whom its starter invites."""

import hashlib
from typing import Any

import jwt

from tests.builders.lkps import CLIENT, Answered, Lkps, user
from tests.unit.sessions.arranging import Talk

BOB = user("bob", "Session.Start")


def elsewhere(talk: Talk, lkps: Lkps) -> Talk:
    """The same session as another process has it."""
    return Talk(lkps, talk.id)


async def join(talk: Talk, by: str = CLIENT, /, **body: object) -> Answered:
    return await talk.lkps.send("POST", f"session/{talk.id}/token", body or None, by=by)


async def invite(talk: Talk, by: str = CLIENT, /, **body: object) -> Answered:
    return await talk.lkps.send("POST", f"session/{talk.id}/invitations", body or None, by=by)


async def invitation(talk: Talk, **body: object) -> str:
    """One that the starter made."""
    answer = await invite(talk, **body)
    assert answer.status == 201, answer.raw
    text: str = answer.json["invitation"]
    return text


async def come_in(talk: Talk, by: str = BOB, /, **body: object) -> Answered:
    """By an invitation of its own."""
    answer = await join(talk, by, invitation=await invitation(talk), **body)
    assert answer.status == 200, answer.raw
    return answer


def claims(answer: Answered) -> dict[str, Any]:
    token = answer.json["participant_token"]
    decoded: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return decoded


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def refused(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.json["code"]


def member_refused(answer: Answered) -> tuple[str, str]:
    """The member of the body, and why it was."""
    assert refused(answer) == (422, "body_invalid")
    (error,) = answer.json["errors"]
    return error["pointer"], error["code"]
