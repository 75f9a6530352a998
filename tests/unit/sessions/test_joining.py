"""More tokens of a session: for its starter, for whom the starter invites, and for nobody else."""

import asyncio
from dataclasses import replace

import pytest

from lkps_core.policy.model import PlatformLimits
from lkps_core.sessions.guests import MOST_GUESTS
from tests.builders.lkps import (
    ADMIN,
    ALICE,
    CLIENT,
    CLIENT_ELSEWHERE,
    OTHER_CLIENT,
    Answered,
    Lkps,
    app,
    guid,
    user,
)
from tests.builders.stepping import SteppingRooms, SteppingSessions
from tests.builders.tokens import TENANT
from tests.unit.sessions.arranging import Talk, rows_of, started
from tests.unit.sessions.coming_in import (
    BOB,
    claims,
    come_in,
    digest,
    elsewhere,
    invitation,
    join,
    member_refused,
    refused,
)

BOB_ELSEWHERE = user("bob", "Session.Start", through="web")
STRANGER = app("stranger", "LKPS.Client")


@pytest.fixture
async def talk(lkps: Lkps) -> Talk:
    return await started(lkps)


async def test_the_starter_gets_another_token_of_the_same_participant(talk: Talk) -> None:
    first = claims(await talk.lkps.start())  # of another session, to compare with
    talk.lkps.clock.pass_by(30)
    answer = await join(talk)
    token = claims(answer)
    assert (token["sub"], token["video"]["room"]) == (talk.row.participant_identity, talk.room_name)
    assert token["video"].keys() == first["video"].keys()
    assert token["attributes"] == {
        "lkps.session_id": talk.id,
        "lkps.client_app_id": guid("app client"),
        "lkps.tenant_id": TENANT,
        "lkps.ends_at": "2026-03-14T13:26:53Z",
    }
    assert {name: answer.json[name] for name in answer.json if name != "participant_token"} == {
        "server_url": "wss://livekit.example",
        "livekit_url": "wss://livekit.example",
        "room_name": talk.room_name,
        "session_id": talk.id,
        "participant_identity": talk.row.participant_identity,
        "agent_status": "joined",
        "expires_at": "2026-03-14T09:32:23Z",
    }


async def test_the_row_counts_the_token_and_knows_until_when_it_joins(talk: Talk) -> None:
    talk.lkps.clock.pass_by(30)
    await join(talk)
    assert (talk.row.issued, (talk.row.token_until - talk.row.created_at).seconds) == (2, 330)


async def test_what_is_said_of_the_participant_is_in_the_token(talk: Talk) -> None:
    answer = await join(
        talk,
        participant_name="Ms. Seven",
        participant_metadata="{}",
        participant_attributes={"ward": "7b"},
    )
    token = claims(answer)
    assert (token["name"], token["metadata"]) == ("Ms. Seven", "{}")
    assert token["attributes"]["ward"] == "7b"


async def test_an_identity_that_was_named_stays(lkps: Lkps) -> None:
    answer = await lkps.start(participant_identity="caller 7")
    talk = Talk(lkps, answer.json["session_id"])
    for body in ({}, {"participant_identity": "caller 7"}):
        assert claims(await join(talk, **body))["sub"] == "caller 7"
    answer = await join(talk, participant_identity="caller 8")
    assert member_refused(answer) == ("/participant_identity", "identity_fixed")


async def test_every_token_is_on_the_trail_before_it_leaves(talk: Talk) -> None:
    again = await join(talk)
    text = await invitation(talk)
    bobs = await join(talk, BOB, invitation=text)
    once_more = await join(talk, BOB)
    _, *rows = rows_of(talk.lkps, "session.authorized")
    assert [
        (row["reason"], row["oid"], row["participant_identity"], row.get("before")) for row in rows
    ] == [
        ("rejoin", guid("sp client"), talk.row.participant_identity, None),
        (
            "invited",
            guid("user bob"),
            bobs.json["participant_identity"],
            {"invitation_sha256": digest(text)},
        ),
        ("invited", guid("user bob"), bobs.json["participant_identity"], None),
    ]
    for row, answer in zip(rows, (again, bobs, once_more), strict=True):
        assert row["token_sha256"] == digest(answer.json["participant_token"])
        assert row["request_id"] == answer.headers["X-Request-ID"]
        assert (row["session_id"], row["room_name"]) == (talk.id, talk.room_name)
        assert row["rule"] == "open"


@pytest.mark.usefixtures("impatient")
async def test_without_the_trail_no_token_leaves_and_the_invitation_is_not_lost(talk: Talk) -> None:
    text = await invitation(talk)
    talk.lkps.trail.down = True
    for by, body in ((CLIENT, {}), (BOB, {"invitation": text})):
        answer = await join(talk, by, **body)
        assert refused(answer) == (503, "audit_unavailable")
    talk.lkps.trail.down = False
    assert (await join(talk, BOB, invitation=text)).status == 200


@pytest.mark.parametrize(
    "by", [OTHER_CLIENT, ALICE, CLIENT_ELSEWHERE, app("owner", "LKPS.Manage", "LKPS.Client")]
)
async def test_nobody_else_gets_one_uninvited(talk: Talk, by: str) -> None:
    await talk.lkps.assign({"owners": [{"tid": TENANT, "oid": guid("sp owner")}]})
    assert refused(await join(talk, by)) == (404, "session_not_found")
    assert talk.row.issued == 1


@pytest.mark.parametrize("by", [ADMIN, app("owner", "LKPS.Manage")])
async def test_who_only_manages_gets_none(talk: Talk, by: str) -> None:
    assert refused(await join(talk, by)) == (403, "permission_lacking")


async def test_who_is_invited_joins_as_itself(talk: Talk) -> None:
    answer = await come_in(talk, participant_name="Bob")
    token = claims(answer)
    assert token["attributes"] == {
        "lkps.session_id": talk.id,
        "lkps.client_app_id": guid("app cli"),
        "lkps.tenant_id": TENANT,
        "lkps.user_oid": guid("user bob"),
        "lkps.ends_at": "2026-03-14T13:26:53Z",
    }
    own = (await talk.lkps.start(by=BOB)).json["participant_identity"]
    assert token["sub"] == answer.json["participant_identity"] == own
    assert (token["name"], token["video"]["room"]) == ("Bob", talk.room_name)


async def test_an_invited_application_has_an_identity_of_its_own_or_names_one(talk: Talk) -> None:
    other = await come_in(talk, OTHER_CLIENT)
    named = await come_in(talk, STRANGER, participant_identity="caller 9")
    identities = {one.json["participant_identity"] for one in (other, named)}
    assert len({*identities, talk.row.participant_identity}) == 3
    assert other.json["participant_identity"].startswith("lkps-app-")
    assert claims(named)["sub"] == "caller 9"
    assert "lkps.user_oid" not in claims(other)["attributes"]


async def test_a_guest_gets_further_tokens_without_an_invitation(talk: Talk) -> None:
    first = await come_in(talk, OTHER_CLIENT, participant_identity="caller 9")
    for body in ({}, {"participant_identity": "caller 9"}):
        again = await join(talk, OTHER_CLIENT, **body)
        assert again.json["participant_identity"] == first.json["participant_identity"]
    answer = await join(talk, OTHER_CLIENT, participant_identity="caller 10")
    assert member_refused(answer) == ("/participant_identity", "identity_fixed")
    assert len(talk.row.guests) == 1


async def test_a_request_whose_answer_was_lost_can_be_sent_again(talk: Talk) -> None:
    text = await invitation(talk)
    for _ in range(2):
        assert (await join(talk, BOB, invitation=text)).status == 200
    assert len(talk.row.guests) == 1


async def test_who_is_in_uses_no_invitation(talk: Talk) -> None:
    await come_in(talk)
    text = await invitation(talk)
    for by in (CLIENT, BOB):
        assert (await join(talk, by, invitation=text)).status == 200
    assert (await join(talk, OTHER_CLIENT, invitation=text)).status == 200


async def test_a_guest_is_one_through_its_own_application_alone(talk: Talk) -> None:
    await come_in(talk)
    assert refused(await join(talk, BOB_ELSEWHERE)) == (404, "session_not_found")


async def test_one_person_with_two_applications_is_one_participant(talk: Talk) -> None:
    identities = {
        (await come_in(talk, by)).json["participant_identity"] for by in (BOB, BOB_ELSEWHERE)
    }
    assert len(identities) == 1


@pytest.mark.parametrize("taken", ["caller 7", "caller 9"])
async def test_an_identity_of_somebody_else_in_the_session_is_refused(
    lkps: Lkps, taken: str
) -> None:
    answer = await lkps.start(participant_identity="caller 7")
    talk = Talk(lkps, answer.json["session_id"])
    await come_in(talk, OTHER_CLIENT, participant_identity="caller 9")
    text = await invitation(talk)
    answer = await join(talk, STRANGER, invitation=text, participant_identity=taken)
    assert member_refused(answer) == ("/participant_identity", "identity_taken")
    answer = await join(talk, STRANGER, invitation=text, participant_identity="caller 10")
    assert answer.status == 200


async def test_an_invited_user_does_not_choose_an_identity(talk: Talk) -> None:
    text = await invitation(talk)
    answer = await join(talk, BOB, invitation=text, participant_identity="somebody")
    assert member_refused(answer) == ("/participant_identity", "identity_derived")
    assert (await join(talk, BOB, invitation=text)).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"participant_identity": "lkps-user-x"},
        {"participant_attributes": {"lkps.user_oid": "forged"}},
        {"participant_metadata": "x" * 2049},
        {"invitation": ""},
        {"invitation": "x" * 129},
        {"metadata": "for the agent"},
        {"room_name": "another"},
    ],
    ids=str,
)
async def test_what_a_start_would_not_take_is_refused(talk: Talk, body: dict[str, object]) -> None:
    assert refused(await join(talk, **body)) == (422, "body_invalid")


async def test_an_invitation_lets_in_once(talk: Talk) -> None:
    text = await invitation(talk)
    assert (await join(talk, BOB, invitation=text)).status == 200
    answer = await join(talk, OTHER_CLIENT, invitation=text)
    assert refused(answer) == (403, "invitation_invalid")
    assert talk.row.invitations == ()


async def test_of_two_who_use_one_in_the_same_moment_one_comes_in(talk: Talk) -> None:
    text = await invitation(talk)
    tables = [SteppingSessions(talk.lkps.sessions) for _ in range(2)]
    stops = [table.steps.stop("replace", "before") for table in tables]
    processes = [
        elsewhere(talk, replace(talk.lkps, sessions=table, seed=seed))
        for seed, table in enumerate(tables, 3)
    ]
    joining = [
        asyncio.create_task(join(one, by, invitation=text))
        for one, by in zip(processes, (BOB, OTHER_CLIENT), strict=True)
    ]
    for stop in stops:
        await stop.reached.wait()
    for stop in stops:
        stop.release()
    answers = [await one for one in joining]
    assert sorted(answer.status for answer in answers) == [200, 403]
    assert [one.json["code"] for one in answers if one.status != 200] == ["invitation_invalid"]
    assert len(talk.row.guests) == 1
    assert [row["reason"] for row in rows_of(talk.lkps, "session.authorized")[1:]] == ["invited"]


async def test_an_invitation_that_is_none_is_one_refusal_whatever_it_lacks(talk: Talk) -> None:
    used, expired = [await invitation(talk) for _ in range(2)]
    assert (await join(talk, BOB, invitation=used)).status == 200
    other = await started(talk.lkps)
    unknown = Talk(talk.lkps, "concierge--" + "a" * 26)
    talk.lkps.clock.pass_by(300)
    anothers = await invitation(other)
    talk.lkps.clock.pass_by(300)
    answers = [
        await join(one, OTHER_CLIENT, invitation=text)
        for one, text in (
            (talk, used),
            (talk, expired),
            (talk, anothers),
            (talk, "never made"),
            (unknown, anothers),
        )
    ]
    assert {plain(answer) for answer in answers} == {plain(answers[0])}
    assert refused(answers[0]) == (403, "invitation_invalid")
    reasons = [row["reason"] for row in rows_of(talk.lkps, "request.refused")]
    assert {"unknown_or_used", "expired", "unknown"} <= {*reasons}


async def test_an_invitation_is_good_to_its_last_second(talk: Talk) -> None:
    text = await invitation(talk, seconds=60)
    talk.lkps.clock.pass_by(59.9)
    assert (await join(talk, BOB, invitation=text)).status == 200
    text = await invitation(talk, seconds=60)
    talk.lkps.clock.pass_by(60)
    assert (await join(talk, OTHER_CLIENT, invitation=text)).status == 403


async def test_the_session_has_so_many_guests_over_its_life(talk: Talk) -> None:
    for number in range(MOST_GUESTS):
        await come_in(talk, user(f"guest {number}", "Session.Start"))
    text = await invitation(talk)
    answer = await join(talk, BOB, invitation=text)
    assert refused(answer) == (409, "too_many_guests")
    assert (await join(talk, user("guest 0", "Session.Start"))).status == 200
    assert len(talk.row.guests) == MOST_GUESTS


async def test_who_is_invited_must_be_allowed_to_call_the_agent(talk: Talk) -> None:
    text = await invitation(talk)
    await talk.lkps.send(
        "PATCH", "agents/concierge", {"access_mode": "granted"}, by=ADMIN, headers={"if-match": "*"}
    )
    assert refused(await join(talk, BOB, invitation=text)) == (403, "agent_not_callable")
    assert refused(await join(talk)) == (403, "agent_not_callable")
    grant = {"client_app_id": guid("app cli"), "any_user": True, "reason": "a test"}
    await talk.lkps.send("POST", "agents/concierge/grants", grant, by=ADMIN)
    answer = await join(talk, BOB, invitation=text)
    assert answer.status == 200
    assert "grant_id" in rows_of(talk.lkps, "session.authorized")[-1]


async def test_a_full_agent_counts_the_session_once(talk: Talk) -> None:
    await talk.lkps.send(
        "PATCH", "agents/concierge", {"max_sessions": 1}, by=ADMIN, headers={"if-match": "*"}
    )
    assert (await talk.lkps.start()).status == 429
    assert (await join(talk)).status == 200
    await come_in(talk)


async def test_tokens_count_as_starts_do(talk: Talk) -> None:
    await talk.lkps.limits.add(PlatformLimits(starts_per_minute_per_application=2))
    fresh = elsewhere(talk, talk.lkps.another_process())
    assert [(await join(fresh)).status for _ in range(3)] == [200, 200, 429]
    assert refused(await fresh.lkps.start()) == (429, "rate_limited")


async def test_a_session_that_has_ended_gives_none(talk: Talk) -> None:
    await come_in(talk)
    text = await invitation(talk)
    await talk.lkps.send("POST", f"session/{talk.id}/end", by=CLIENT)
    for by, body in ((CLIENT, {}), (BOB, {}), (OTHER_CLIENT, {"invitation": text})):
        assert refused(await join(talk, by, **body)) == (409, "session_ended")
    assert refused(await join(talk, OTHER_CLIENT)) == (404, "session_not_found")


async def test_a_room_that_livekit_has_closed_is_not_handed_out(talk: Talk) -> None:
    talk.lkps.clock.pass_by(30)
    talk.close()
    assert refused(await join(talk)) == (409, "session_ended")
    assert talk.row.state == "ended"
    (row,) = rows_of(talk.lkps, "session.ended")
    assert (row["reason"], row["operation"]) == ("nobody_joined", "session_join")


async def test_a_session_that_ends_in_that_moment_gives_none(talk: Talk) -> None:
    table = SteppingSessions(talk.lkps.sessions)
    stop = table.steps.stop("replace", "before")
    await talk.show()  # the row has seen its agent: the next to write it is the token
    joining = asyncio.create_task(join(elsewhere(talk, replace(talk.lkps, sessions=table, seed=3))))
    await stop.reached.wait()
    await talk.lkps.send("POST", f"session/{talk.id}/end", by=CLIENT)
    stop.release()
    assert refused(await joining) == (409, "session_ended")


async def test_a_decision_that_became_too_old_gives_none(talk: Talk) -> None:
    await talk.show()
    table = SteppingSessions(talk.lkps.sessions)

    async def overtake_slowly() -> None:
        for _ in range(2):  # after one, the row that both want to write would be the same
            assert (await join(talk)).status == 200
        talk.lkps.clock.pass_by(5)

    table.steps.once("replace", "before", overtake_slowly)
    late = elsewhere(talk, replace(talk.lkps, sessions=table, seed=3))
    assert refused(await join(late)) == (503, "storage_unavailable")


async def test_who_is_always_overtaken_is_told_to_try_again(talk: Talk) -> None:
    await talk.show()
    table = SteppingSessions(talk.lkps.sessions)

    async def overtake() -> None:
        for _ in range(2):  # after one, the row that both want to write would be the same
            assert (await join(talk)).status == 200

    for _ in range(50):
        table.steps.once("replace", "before", overtake)
    late = elsewhere(talk, replace(talk.lkps, sessions=table, seed=3))
    assert refused(await join(late)) == (409, "edited_meanwhile")


@pytest.mark.usefixtures("impatient")
async def test_without_livekit_none_is_given(talk: Talk) -> None:
    rooms = SteppingRooms(talk.lkps.rooms)
    rooms.refuse("look")
    late = elsewhere(talk, replace(talk.lkps, rooms=rooms, seed=3))
    assert refused(await join(late)) == (503, "livekit_unavailable")


@pytest.mark.parametrize(
    "subject", [{"user_oid": guid("user bob")}, {"client_app_id": guid("app cli")}]
)
async def test_a_block_of_a_guest_ends_the_session(talk: Talk, subject: dict[str, str]) -> None:
    await come_in(talk)
    answer = await talk.lkps.send("POST", "revocations", {**subject, "reason": "a test"}, by=ADMIN)
    assert (answer.json["sessions_found"], answer.json["sessions_ended"]) == (1, 1)
    assert talk.row.cause == "blocked"
    assert talk.lkps.rooms.rooms == {}


async def test_a_block_of_somebody_else_ends_nothing(talk: Talk) -> None:
    await come_in(talk)
    subject = {"user_oid": guid("user eve"), "reason": "a test"}
    answer = await talk.lkps.send("POST", "revocations", subject, by=ADMIN)
    assert answer.json["sessions_found"] == 0


async def test_a_guest_reads_the_session_and_does_not_end_it(talk: Talk) -> None:
    bobs = await come_in(talk)
    path = f"session/{talk.id}"
    shown = await talk.lkps.send("GET", path, by=BOB)
    assert shown.json == {
        **await talk.show(),
        "participant_identity": bobs.json["participant_identity"],
    }
    for method, of in (("POST", f"{path}/end"), ("POST", f"{path}/invitations")):
        answer = await talk.lkps.send(method, of, by=BOB)
        assert refused(answer) == (404, "session_not_found")
    assert talk.row.state == "open"


async def test_a_guest_has_no_receipt_of_it(talk: Talk) -> None:
    await come_in(talk)
    statuses = [
        (await talk.lkps.send("GET", f"session/{talk.id}/receipt", by=by)).status
        for by in (CLIENT, BOB)
    ]
    assert statuses == [200, 404]


def plain(answer: Answered) -> tuple[int, bytes]:
    request_id = answer.headers["X-Request-ID"].encode()
    return answer.status, answer.raw.replace(request_id, b"")
