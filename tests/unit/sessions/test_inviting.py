"""Invitations: who makes them, how long and how many, and that LKPS keeps none of them."""

import asyncio
from dataclasses import replace

import pytest

from lkps_core.sessions.guests import MOST_INVITATIONS
from tests.builders.lkps import (
    ADMIN,
    ALICE,
    CLIENT,
    CLIENT_ELSEWHERE,
    OTHER_CLIENT,
    Lkps,
    app,
    guid,
)
from tests.builders.stepping import SteppingSessions
from tests.builders.tokens import TENANT
from tests.unit.sessions.arranging import Talk, rows_of, started
from tests.unit.sessions.coming_in import (
    BOB,
    digest,
    elsewhere,
    invitation,
    invite,
    join,
    refused,
)


@pytest.fixture
async def talk(lkps: Lkps) -> Talk:
    return await started(lkps)


@pytest.mark.parametrize(
    ("body", "until"),
    [
        ({}, "2026-03-14T09:36:53Z"),
        ({"seconds": 60}, "2026-03-14T09:27:53Z"),
        ({"seconds": 600}, "2026-03-14T09:36:53Z"),
    ],
)
async def test_the_starter_makes_one_that_lasts_for_minutes(
    talk: Talk, body: dict[str, int], until: str
) -> None:
    answer = await invite(talk, **body)
    assert answer.status == 201
    assert answer.json.keys() == {"invitation", "expires_at"}
    assert answer.json["expires_at"] == until
    assert len(answer.json["invitation"]) == 43


async def test_no_two_are_alike(talk: Talk) -> None:
    assert len({await invitation(talk) for _ in range(4)}) == 4


async def test_its_hash_is_in_the_row_and_on_the_trail_and_its_text_is_nowhere(talk: Talk) -> None:
    text = await invitation(talk)
    assert [one.sha256 for one in talk.row.invitations] == [digest(text)]
    (row,) = rows_of(talk.lkps, "session.invited")
    assert row["after"] == {
        "invitation_sha256": digest(text),
        "expires_at": "2026-03-14T09:36:53.000000Z",
    }
    assert (row["session_id"], row["agent_name"], row["oid"]) == (
        talk.id,
        "concierge",
        guid("sp client"),
    )
    await join(talk, BOB, invitation=text)
    assert text not in f"{talk.lkps.rows}{talk.row}"


@pytest.mark.usefixtures("impatient")
async def test_without_the_trail_none_leaves(talk: Talk) -> None:
    talk.lkps.trail.down = True
    answer = await invite(talk)
    assert refused(answer) == (503, "audit_unavailable")
    assert "invitation" not in answer.json


@pytest.mark.parametrize(
    "body", [{"seconds": 59}, {"seconds": 601}, {"seconds": "60"}, {"seconds": None}, {"for": 1}]
)
async def test_a_time_that_is_none_is_refused(talk: Talk, body: dict[str, object]) -> None:
    assert refused(await invite(talk, **body)) == (422, "body_invalid")


@pytest.mark.parametrize(
    "by",
    [
        OTHER_CLIENT,
        ALICE,
        CLIENT_ELSEWHERE,
        app("owner", "LKPS.Manage", "LKPS.Client"),
        app("admin", "LKPS.Admin", "LKPS.Client"),
    ],
)
async def test_nobody_else_makes_one_and_an_unknown_session_answers_alike(
    talk: Talk, by: str
) -> None:
    await talk.lkps.assign({"owners": [{"tid": TENANT, "oid": guid("sp owner")}]})
    answers = [
        await invite(Talk(talk.lkps, one), by)
        for one in (talk.id, "concierge--" + "a" * 26, "nobody--" + "a" * 26, "nothing")
    ]
    for answer in answers:
        assert {**answer.json, "request_id": ""} == {**answers[0].json, "request_id": ""}
        assert refused(answer) == (404, "session_not_found")
    assert talk.row.invitations == ()


async def test_who_only_manages_makes_none(talk: Talk) -> None:
    assert refused(await invite(talk, ADMIN)) == (403, "permission_lacking")


async def test_so_many_can_be_unused_until_one_is_used_or_expires(talk: Talk) -> None:
    first = await invitation(talk, seconds=600)
    for _ in range(MOST_INVITATIONS - 1):
        await invitation(talk, seconds=60)
    assert refused(await invite(talk)) == (409, "too_many_invitations")
    await join(talk, BOB, invitation=first)
    assert (await invite(talk)).status == 201
    assert refused(await invite(talk)) == (409, "too_many_invitations")
    talk.lkps.clock.pass_by(60)
    assert (await invite(talk)).status == 201
    assert len(talk.row.invitations) == 2


async def test_two_that_are_made_in_one_moment_both_count(talk: Talk) -> None:
    table = SteppingSessions(talk.lkps.sessions)
    stop = table.steps.stop("replace", "before")
    late = elsewhere(talk, replace(talk.lkps, sessions=table, seed=3))
    inviting = asyncio.create_task(invite(late))
    await stop.reached.wait()
    await invitation(talk)
    stop.release()
    text = (await inviting).json["invitation"]
    assert len(talk.row.invitations) == 2
    assert (await join(talk, BOB, invitation=text)).status == 200


async def test_who_is_always_overtaken_is_told_to_try_again(talk: Talk) -> None:
    table = SteppingSessions(talk.lkps.sessions)

    async def overtake() -> None:
        await invitation(talk)

    for _ in range(3):
        table.steps.once("replace", "before", overtake)
    late = elsewhere(talk, replace(talk.lkps, sessions=table, seed=3))
    assert refused(await invite(late)) == (409, "edited_meanwhile")


async def test_a_session_that_has_ended_or_whose_time_is_over_takes_none(talk: Talk) -> None:
    talk.lkps.clock.pass_by(4 * 3600)
    assert refused(await invite(talk)) == (409, "session_ended")
    other = await started(talk.lkps)
    await talk.lkps.send("POST", f"session/{other.id}/end", by=CLIENT)
    assert refused(await invite(other)) == (409, "session_ended")
