"""What a session start makes, what its token grants, and what the agent is told."""

import hashlib
from dataclasses import replace
from typing import Any

import jwt
import pytest

from lkps_core.ports import RoomParticipant
from tests.builders.lkps import (
    AGENT,
    ALICE,
    CLIENT,
    OTHER_AGENT,
    OTHER_CLIENT,
    Answered,
    Lkps,
    guid,
    user,
)
from tests.builders.stepping import SteppingRooms, SteppingSessions
from tests.builders.tokens import TENANT


@pytest.fixture
async def lkps() -> Lkps:
    """With an agent online."""
    lkps = Lkps()
    await lkps.register()
    return lkps


def claims(answer: Answered) -> dict[str, Any]:
    token = answer.json["participant_token"]
    decoded: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return decoded


async def test_the_answer_has_all_that_a_client_needs_to_join(lkps: Lkps) -> None:
    answer = (await lkps.start()).json
    session_id = answer.pop("session_id")
    assert answer.pop("participant_token").count(".") == 2
    assert answer.pop("participant_identity").startswith("lkps-app-")
    assert answer == {
        "server_url": "wss://livekit.example",
        "livekit_url": "wss://livekit.example",
        "room_name": f"test--{session_id}",
        "agent_status": "dispatched",
        "expires_at": "2026-03-14T09:31:53Z",
    }


async def test_the_room_has_the_agents_dispatch_and_routing_secret_inside(lkps: Lkps) -> None:
    deployment = (await lkps.register())["deployment"]
    answer = (await lkps.start(metadata="for the agent")).json
    room = lkps.rooms.rooms[answer["room_name"]]
    assert (room.room.agent_name, room.room.deployment) == ("concierge", deployment)
    assert room.room.agent_metadata == "for the agent"
    assert [one.identity in room.jobs for one in room.participants] == [True]


async def test_the_room_outlives_the_token_that_joins_it(lkps: Lkps) -> None:
    await lkps.start()
    (room,) = lkps.rooms.rooms.values()
    assert room.room.empty_timeout == 300 + 60


async def test_the_row_says_whose_session_it_is(lkps: Lkps) -> None:
    answer = (await lkps.start()).json
    stored = await lkps.sessions.get("concierge", answer["session_id"])
    assert stored is not None
    assert (stored.row.starter.tid, stored.row.starter.oid) == (TENANT, guid("sp client"))
    assert (stored.row.azp, stored.row.state) == (guid("app client"), "open")
    assert (stored.row.ends_at - stored.row.created_at).total_seconds() == 4 * 3600


async def test_the_trail_has_the_tokens_hash_and_its_expiry(lkps: Lkps) -> None:
    answer = await lkps.start()
    row = lkps.rows[-1]
    digest = hashlib.sha256(answer.json["participant_token"].encode()).hexdigest()
    assert (row["action"], row["outcome"]) == ("session.authorized", "success")
    assert (row["token_sha256"], row["token_expires_at"]) == (digest, "2026-03-14T09:31:53.000000Z")
    assert row["session_id"] == answer.json["session_id"]
    assert row["room_name"] == answer.json["room_name"]
    assert row["request_id"] == answer.headers["X-Request-ID"]


async def test_two_starts_make_two_sessions(lkps: Lkps) -> None:
    one, other = (await lkps.start()).json, (await lkps.start()).json
    assert len({one["room_name"], other["room_name"]}) == 2
    assert len({one["participant_identity"], other["participant_identity"]}) == 2


async def test_an_application_is_told_to_the_agent_without_a_user(lkps: Lkps) -> None:
    answer = await lkps.start()
    assert claims(answer)["attributes"] == {
        "lkps.session_id": answer.json["session_id"],
        "lkps.client_app_id": guid("app client"),
        "lkps.tenant_id": TENANT,
        "lkps.ends_at": "2026-03-14T13:26:53Z",
    }


async def test_a_user_is_told_to_the_agent(lkps: Lkps) -> None:
    answer = await lkps.start(by=ALICE)
    attributes = claims(answer)["attributes"]
    assert attributes["lkps.user_oid"] == guid("user alice")
    assert attributes["lkps.client_app_id"] == guid("app cli")


async def test_a_user_has_one_identity_in_every_session(lkps: Lkps) -> None:
    one = (await lkps.start(by=ALICE)).json
    other = (await lkps.start(by=user("alice", "Session.Start", through="web"))).json
    bob = (await lkps.start(by=user("bob", "Session.Start"))).json
    assert one["participant_identity"] == other["participant_identity"]
    assert one["participant_identity"] != bob["participant_identity"]
    assert one["participant_identity"].startswith("lkps-user-")


async def test_a_user_cannot_choose_an_identity(lkps: Lkps) -> None:
    answer = await lkps.start(by=ALICE, participant_identity="bob")
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "identity_derived")
    assert lkps.rooms.rooms == {}


async def test_an_application_names_whom_it_speaks_for(lkps: Lkps) -> None:
    answer = await lkps.start(
        participant_identity="caller 7",
        participant_name="Ms. Seven",
        participant_metadata="{}",
        participant_attributes={"ward": "7b"},
    )
    token = claims(answer)
    assert (token["sub"], token["name"], token["metadata"]) == ("caller 7", "Ms. Seven", "{}")
    assert token["attributes"]["ward"] == "7b"
    assert answer.json["participant_identity"] == "caller 7"


@pytest.mark.parametrize(
    "identity",
    [
        "agent-AJ_1",
        "agent-",
        "lkps",
        "lkps-user-x",
        "lk.agent",
        "AGENT-x",
        "LKPS",
        "Lk.x",
        "lkp\u017f",
        "",
    ],
)
async def test_an_identity_of_the_platforms_own_kinds_is_refused(lkps: Lkps, identity: str) -> None:
    answer = await lkps.start(participant_identity=identity)
    assert (answer.status, answer.json["code"]) == (422, "body_invalid")
    assert lkps.rooms.rooms == {}


@pytest.mark.parametrize(
    "key",
    [
        "lkps.user_oid",
        "lkps.session_id",
        "LKPS.user_oid",
        "lkpsx",
        "lk.agent.state",
        "Lk.x",
        "agent-x",
        "",
    ],
)
async def test_an_attribute_of_the_platforms_own_kinds_is_refused(lkps: Lkps, key: str) -> None:
    answer = await lkps.start(participant_attributes={key: "forged"})
    assert (answer.status, answer.json["code"]) == (422, "body_invalid")
    assert lkps.rooms.rooms == {}


async def test_livekits_standard_token_request_starts_a_session(lkps: Lkps) -> None:
    body = {
        "participant_name": "Ms. Seven",
        "room_config": {"agents": [{"agent_name": "concierge", "metadata": "hello"}]},
    }
    answer = await lkps.send("POST", "session/start", body, by=CLIENT)
    assert answer.status == 200
    (room,) = lkps.rooms.rooms.values()
    assert (room.room.agent_name, room.room.agent_metadata) == ("concierge", "hello")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"room_config": {}},
        {"room_config": {"agents": []}},
        {"agent_name": "concierge", "room_config": {"agents": [{"agent_name": "other"}]}},
        {"room_config": {"agents": [{"agent_name": "concierge"}, {"agent_name": "concierge"}]}},
        {"room_config": {"agents": [{"agent_name": "concierge", "deployment": "x"}]}},
        {"agent_name": "concierge", "room_name": "mine"},
        {"agent_name": "concierge", "room_config": {"max_participants": 2}},
        {"agent_name": "concierge", "room_config": {"egress": {}}},
        {
            "agent_name": "concierge",
            "metadata": "one",
            "room_config": {"agents": [{"agent_name": "concierge", "metadata": "two"}]},
        },
    ],
)
async def test_a_request_for_another_room_or_for_no_one_agent_is_refused(
    lkps: Lkps, body: dict[str, object]
) -> None:
    answer = await lkps.send("POST", "session/start", body, by=CLIENT)
    assert (answer.status, answer.json["code"]) == (422, "body_invalid")
    assert lkps.rooms.rooms == {}


async def test_an_agent_named_in_both_places_is_one_agent(lkps: Lkps) -> None:
    answer = await lkps.start(room_config={"agents": [{"agent_name": "concierge"}]})
    assert answer.status == 200


async def test_an_agent_that_nobody_runs_cannot_be_called(lkps: Lkps) -> None:
    answer = await lkps.start("nobody")
    assert (answer.status, answer.json["code"]) == (403, "agent_not_callable")
    assert lkps.rooms.rooms == {}


async def test_an_agent_is_callable_at_once_though_it_was_unknown_before() -> None:
    lkps = Lkps()
    assert (await lkps.start()).status == 403
    await lkps.another_process().register(by=AGENT)
    assert (await lkps.start()).json["agent_status"] == "dispatched"


async def test_an_agent_whose_instances_are_gone_is_offline(lkps: Lkps) -> None:
    lkps.clock.pass_by(180)
    answer = await lkps.start()
    assert (answer.status, answer.json["agent_status"]) == (200, "offline")


async def test_an_instance_that_came_back_elsewhere_is_seen_at_once(lkps: Lkps) -> None:
    lkps.clock.pass_by(179)
    assert (await lkps.start()).json["agent_status"] == "dispatched"
    await lkps.another_process().register()
    lkps.clock.pass_by(1)
    assert (await lkps.start()).json["agent_status"] == "dispatched"


async def test_where_an_agent_is_required_nobody_starts_without_one() -> None:
    lkps = Lkps({"LKPS_REQUIRE_AGENT": "true"})
    await lkps.register()
    assert (await lkps.start()).status == 200
    lkps.clock.pass_by(180)
    answer = await lkps.start()
    assert (answer.status, answer.json["code"]) == (409, "agent_offline")
    assert answer.headers["Retry-After"] == "10"
    assert len(lkps.rooms.rooms) == 1


async def test_who_waits_for_the_agent_learns_that_it_joined(lkps: Lkps) -> None:
    assert (await lkps.start(wait_for_agent=5)).json["agent_status"] == "joined"


@pytest.mark.usefixtures("impatient")
async def test_who_waits_hears_as_soon_as_the_agent_is_there(lkps: Lkps) -> None:
    lkps.rooms.workers.clear()
    rooms = SteppingRooms(lkps.rooms)
    looks = 0

    async def join_at_the_third_look() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            (room,) = rooms.rooms.values()
            room.participants.append(RoomParticipant("agent-AJ_2", True, lkps.clock.now))
            room.jobs.add("agent-AJ_2")

    for _ in range(3):
        rooms.steps.once("look", "before", join_at_the_third_look)
    answer = await replace(lkps, rooms=rooms, seed=3).start(wait_for_agent=10)
    assert answer.json["agent_status"] == "joined"
    assert looks == 3


@pytest.mark.usefixtures("impatient")
async def test_who_waited_in_vain_is_answered_all_the_same(lkps: Lkps) -> None:
    lkps.rooms.workers.clear()
    answer = await lkps.start(wait_for_agent=1)
    assert (answer.status, answer.json["agent_status"]) == (200, "dispatched")


@pytest.mark.usefixtures("impatient")
async def test_waiting_ends_when_the_agent_does_not_come_in_livekits_time(lkps: Lkps) -> None:
    lkps.rooms.workers.clear()
    rooms = SteppingRooms(lkps.rooms)

    async def ten_seconds_pass() -> None:
        lkps.clock.pass_by(10)

    rooms.steps.once("look", "before", ten_seconds_pass)
    answer = await replace(lkps, rooms=rooms, seed=3).start(wait_for_agent=10)
    assert answer.json["agent_status"] == "absent"


async def test_a_person_in_the_room_is_not_the_agent_waited_for(lkps: Lkps) -> None:
    lkps.rooms.workers.clear()
    answer = await lkps.start()
    room = lkps.rooms.rooms[answer.json["room_name"]]
    room.participants.append(RoomParticipant("somebody", False, lkps.clock.now))
    shown = await lkps.send("GET", f"session/{answer.json['session_id']}", by=CLIENT)
    assert shown.json["agent_status"] == "dispatched"


async def test_nobody_waits_for_an_agent_that_is_offline(lkps: Lkps) -> None:
    lkps.clock.pass_by(180)
    calls = len(lkps.rooms.calls)
    assert (await lkps.start(wait_for_agent=10)).json["agent_status"] == "offline"
    assert lkps.rooms.calls[calls:] == ["create"]


async def test_a_session_stands_though_its_agent_cannot_be_looked_for(lkps: Lkps) -> None:
    rooms = SteppingRooms(lkps.rooms)
    rooms.refuse("look")
    answer = await replace(lkps, rooms=rooms, seed=3).start(wait_for_agent=5)
    assert (answer.status, answer.json["agent_status"]) == (200, "dispatched")
    assert answer.json["room_name"] in lkps.rooms.rooms


@pytest.mark.parametrize("by", [AGENT, OTHER_AGENT, user("carol", "Agent.Manage")])
async def test_only_clients_start_sessions(lkps: Lkps, by: str) -> None:
    answer = await lkps.start(by=by)
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")
    assert lkps.rooms.rooms == {}


async def test_every_client_may_call_an_open_agent(lkps: Lkps) -> None:
    assert [(await lkps.start(by=by)).status for by in (CLIENT, OTHER_CLIENT, ALICE)] == [200] * 3


@pytest.mark.usefixtures("impatient")
async def test_a_session_whose_rows_answer_was_lost_is_taken_back(lkps: Lkps) -> None:
    table = SteppingSessions(lkps.sessions)
    table.lose("add")
    answer = await replace(lkps, sessions=table, seed=3).start(key="one")
    assert (answer.status, answer.json["code"]) == (503, "storage_unavailable")
    assert lkps.rooms.rooms == {}
    assert (await lkps.start(key="one")).status == 200
