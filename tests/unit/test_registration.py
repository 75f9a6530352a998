"""How an instance of an agent comes online and goes."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from lkps_core.agents.model import Agent
from lkps_core.identity.principal import PrincipalId
from tests.builders.lkps import ADMIN, AGENT, ALICE, OTHER_AGENT, Answered, Lkps, guid, user
from tests.builders.stepping import SteppingRegistrations, SteppingRows, SteppingTrail
from tests.builders.tokens import NOW, TENANT

AGENT_ID = PrincipalId(TENANT, guid("sp agent"))
OTHER_AGENT_ID = PrincipalId(TENANT, guid("sp other agent"))
ALICE_ID = PrincipalId(TENANT, guid("user alice"))


async def registered(lkps: Lkps, name: str, *, by: str = AGENT) -> Answered:
    return await lkps.send("POST", "agent/register", {"agent_name": name}, by=by)


async def owned(lkps: Lkps, name: str = "concierge") -> Agent:
    stored = await lkps.agents.get("agents", name)
    assert stored is not None
    return stored.row


async def online(lkps: Lkps, name: str = "concierge") -> list[str]:
    answer = await lkps.send("GET", f"agents/{name}", by=ADMIN)
    return [one["registration_id"] for one in answer.json["instances"]]


async def test_the_answer_has_all_that_a_worker_needs(lkps: Lkps) -> None:
    answer = (await registered(lkps, "concierge")).json
    assert answer.pop("registration_id").startswith("concierge--")
    assert len(answer.pop("deployment")) == 52
    assert answer.pop("token").count(".") == 2
    assert answer == {
        "agent_name": "concierge",
        "routing_version": 1,
        "livekit_url": "wss://livekit.example",
        "expires_at": "2026-03-14T10:26:53Z",
        "renew_after": 60,
    }


async def test_the_lease_outlives_two_renewals_that_fail(lkps: Lkps) -> None:
    registration = await lkps.register()
    stored = await lkps.registrations.get("concierge", registration["registration_id"])
    assert stored is not None
    assert stored.row.lease_until == lkps.clock() + timedelta(seconds=3 * 60)


async def test_an_application_that_claims_a_name_runs_it_and_owns_nothing(lkps: Lkps) -> None:
    await lkps.register()
    agent = await owned(lkps)
    assert (agent.runners, agent.owners) == (frozenset({AGENT_ID}), frozenset())


async def test_a_user_who_claims_a_name_runs_and_owns_it(lkps: Lkps) -> None:
    await lkps.register(by=ALICE)
    agent = await owned(lkps)
    assert agent.runners == agent.owners == {ALICE_ID}


async def test_instances_of_one_agent_share_its_routing_secret_and_nothing_else(lkps: Lkps) -> None:
    one, other = await lkps.register(), await lkps.register()
    assert one["deployment"] == other["deployment"]
    assert one["registration_id"] != other["registration_id"]
    assert one["token"] != other["token"]
    assert await online(lkps) == sorted([one["registration_id"], other["registration_id"]])


async def test_agents_have_routing_secrets_of_their_own(lkps: Lkps) -> None:
    one, other = await lkps.register("one"), await lkps.register("other")
    assert one["deployment"] != other["deployment"]


async def test_what_an_instance_says_of_itself_is_shown_to_who_manages_it(lkps: Lkps) -> None:
    said = {"version": "1.2.3", "instance": "pod-7", "labels": {"region": "basel"}}
    await lkps.send("POST", "agent/register", {"agent_name": "concierge", **said}, by=AGENT)
    (shown,) = (await lkps.send("GET", "agents/concierge", by=ADMIN)).json["instances"]
    assert said.items() <= shown.items()
    assert shown["routing_version"] == 1


async def test_registration_is_on_the_trail_with_its_tokens_hash(lkps: Lkps) -> None:
    registration = await lkps.register()
    claimed, row = lkps.rows
    assert (claimed["action"], row["action"]) == ("agent.claimed", "agent.registered")
    assert row["token_sha256"] == hashlib.sha256(registration["token"].encode()).hexdigest()
    assert row["token_expires_at"] == "2026-03-14T10:26:53.000000Z"
    assert row["registration_id"] == registration["registration_id"]
    assert (row["oid"], row["azp"]) == (guid("sp agent"), guid("app agent"))


async def test_another_process_sees_the_instance_at_once(lkps: Lkps) -> None:
    registration = await lkps.register()
    assert await online(lkps.another_process()) == [registration["registration_id"]]


async def test_an_instance_is_online_until_its_lease_is_over(lkps: Lkps) -> None:
    registration = await lkps.register()
    lkps.clock.pass_by(179.9)
    assert await online(lkps) == [registration["registration_id"]]
    lkps.clock.pass_by(0.1)
    assert await online(lkps) == []


async def test_where_names_are_assigned_nobody_claims_one() -> None:
    lkps = Lkps({"LKPS_AGENT_NAMES": "assigned"})
    answer = await registered(lkps, "concierge")
    assert (answer.status, answer.json["code"]) == (403, "agent_not_runnable")
    assert await lkps.agents.get("agents", "concierge") is None
    assert [row["reason"] for row in lkps.rows] == ["agent_unknown"]


async def test_whom_an_admin_made_a_runner_may_register() -> None:
    lkps = Lkps({"LKPS_AGENT_NAMES": "assigned"})
    runner = {"tid": TENANT, "oid": guid("sp agent")}
    await lkps.assign({"runners": [runner]})
    assert (await registered(lkps, "concierge")).status == 200


async def test_a_runner_of_before_is_one_no_more_once_the_name_is_assigned_anew(lkps: Lkps) -> None:
    await lkps.register()
    elsewhere = lkps.another_process()
    runner = {"tid": TENANT, "oid": guid("sp other agent")}
    await elsewhere.assign({"runners": [runner]})
    lkps.clock.pass_by(5)
    assert (await registered(lkps, "concierge")).json["code"] == "agent_not_runnable"
    assert (await registered(lkps, "concierge", by=OTHER_AGENT)).status == 200


async def test_a_new_runner_need_not_wait_until_a_process_forgets(lkps: Lkps) -> None:
    await lkps.register()
    await lkps.start()
    runner = {"tid": TENANT, "oid": guid("sp other agent")}
    await lkps.another_process().assign({"runners": [runner]})
    assert (await registered(lkps, "concierge", by=OTHER_AGENT)).status == 200


@pytest.mark.parametrize("environment", ["local", "nonprod"])
async def test_outside_production_a_user_may_run_an_agent(environment: str) -> None:
    lkps = Lkps({"LKPS_ENVIRONMENT": environment})
    assert (await registered(lkps, "concierge", by=ALICE)).status == 200


async def test_in_production_no_user_runs_an_agent() -> None:
    lkps = Lkps({"LKPS_ENVIRONMENT": "prod"})
    alice = {"tid": TENANT, "oid": guid("user alice")}
    await lkps.assign({"runners": [alice]})
    answer = await registered(lkps, "concierge", by=user("alice", "Agent.Register"))
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")


def two_processes(lkps: Lkps) -> tuple[Lkps, Lkps, SteppingRows[Agent], SteppingRows[Agent]]:
    one, other = SteppingRows(lkps.agents), SteppingRows(lkps.agents)
    return replace(lkps, agents=one), replace(lkps, agents=other, seed=1), one, other


@pytest.mark.parametrize("first", [0, 1])
async def test_of_two_who_claim_a_name_in_one_moment_one_runs_it(lkps: Lkps, first: int) -> None:
    one, other, one_table, other_table = two_processes(lkps)
    stops = [table.steps.stop("add", "before") for table in (one_table, other_table)]
    starts = [
        asyncio.create_task(registered(one, "concierge", by=AGENT)),
        asyncio.create_task(registered(other, "concierge", by=OTHER_AGENT)),
    ]
    for stop in stops:
        await stop.reached.wait()
    stops[first].release()
    won = await starts[first]
    stops[1 - first].release()
    lost = await starts[1 - first]
    assert (won.status, lost.status) == (200, 403)
    assert lost.json["code"] == "agent_not_runnable"
    assert (await owned(lkps)).runners == {(AGENT_ID, OTHER_AGENT_ID)[first]}
    assert [row["action"] for row in lkps.rows].count("agent.registered") == 1
    assert len(await online(lkps)) == 1


async def test_one_who_claims_a_name_twice_in_one_moment_gets_it_both_times(lkps: Lkps) -> None:
    one, other, one_table, other_table = two_processes(lkps)
    stops = [table.steps.stop("add", "before") for table in (one_table, other_table)]
    starts = [asyncio.create_task(registered(each, "concierge")) for each in (one, other)]
    for stop in stops:
        await stop.reached.wait()
    lkps.clock.pass_by(0.001)
    for stop in stops:
        stop.release()
    assert [(await start).status for start in starts] == [200, 200]
    assert (await owned(lkps)).runners == {AGENT_ID}
    assert len(await online(lkps)) == 2


async def test_one_who_claims_a_name_again_while_its_first_claim_is_there_already(
    lkps: Lkps,
) -> None:
    one, other, _, other_table = two_processes(lkps)
    stop = other_table.steps.stop("add", "before")
    late = asyncio.create_task(registered(other, "concierge"))
    await stop.reached.wait()
    lkps.clock.pass_by(1)
    assert (await registered(one, "concierge")).status == 200
    stop.release()
    assert (await late).status == 200
    assert [row["action"] for row in lkps.rows].count("agent.claimed") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_claim_that_is_not_on_the_trail_is_taken_back(lkps: Lkps) -> None:
    lkps.trail.down = True
    answer = await registered(lkps, "concierge")
    assert (answer.status, answer.json["code"]) == (503, "audit_unavailable")
    assert await lkps.agents.get("agents", "concierge") is None
    lkps.trail.down = False
    assert (await registered(lkps, "concierge", by=OTHER_AGENT)).status == 200


@pytest.mark.usefixtures("impatient")
async def test_a_claim_that_was_assigned_meanwhile_is_left_alone(lkps: Lkps) -> None:
    trail = SteppingTrail(lkps.trail)
    claiming = replace(lkps, trail=trail)
    stop = trail.steps.stop("append", "before")
    claim = asyncio.create_task(registered(claiming, "concierge"))
    await stop.reached.wait()
    runner = {"tid": TENANT, "oid": guid("sp other agent")}
    elsewhere = lkps.another_process()
    assert (await elsewhere.assign({"runners": [runner]})).status == 200
    assert (await claim).status == 503
    assert (await owned(lkps)).runners == {OTHER_AGENT_ID}
    stop.release()


@pytest.mark.usefixtures("impatient")
async def test_a_registration_that_is_not_on_the_trail_is_taken_back(lkps: Lkps) -> None:
    await lkps.register()
    (first,) = await lkps.registrations.live("concierge", NOW, 99)
    lkps.trail.down = True
    answer = await registered(lkps, "concierge")
    assert (answer.status, answer.json["code"]) == (503, "audit_unavailable")
    assert await lkps.registrations.live("concierge", NOW, 99) == [first]


@pytest.mark.usefixtures("impatient")
async def test_a_registration_whose_answer_was_lost_is_taken_back(lkps: Lkps) -> None:
    table = SteppingRegistrations(lkps.registrations)
    table.lose("add")
    answer = await registered(replace(lkps, registrations=table), "concierge")
    assert (answer.status, answer.json["code"]) == (503, "storage_unavailable")
    assert await lkps.registrations.live("concierge", NOW, 99) == []


@pytest.mark.usefixtures("impatient")
async def test_a_registration_that_was_never_added_needs_no_taking_back(lkps: Lkps) -> None:
    table = SteppingRegistrations(lkps.registrations)
    table.refuse("add")
    assert (await registered(replace(lkps, registrations=table), "concierge")).status == 503
    assert "remove" not in table.calls


async def test_who_deregisters_is_offline_at_once(lkps: Lkps) -> None:
    registration = await lkps.register()
    path = f"agent/registrations/{registration['registration_id']}"
    answer = await lkps.send("DELETE", path, by=AGENT)
    assert (answer.status, answer.raw) == (204, b"")
    assert await online(lkps) == []
    assert lkps.rows[-1]["action"] == "agent.deregistered"
    assert (await lkps.send("DELETE", path, by=AGENT)).status == 404


async def test_a_renewal_in_the_same_moment_does_not_keep_an_instance_online(lkps: Lkps) -> None:
    registration = await lkps.register()
    path = f"agent/registrations/{registration['registration_id']}"
    table = SteppingRegistrations(lkps.registrations)
    stop = table.steps.stop("remove", "before")
    leaving = asyncio.create_task(
        replace(lkps, registrations=table, seed=5).send("DELETE", path, by=AGENT)
    )
    await stop.reached.wait()
    lkps.clock.pass_by(1)
    held = {"token_expires_at": registration["expires_at"], "routing_version": 1}
    assert (await lkps.send("POST", f"{path}/renew", held, by=AGENT)).status == 200
    stop.release()
    assert (await leaving).status == 204
    assert await lkps.registrations.live("concierge", NOW, 99) == []


async def test_an_instance_that_another_request_took_offline_is_offline(lkps: Lkps) -> None:
    registration = await lkps.register()
    path = f"agent/registrations/{registration['registration_id']}"
    table = SteppingRegistrations(lkps.registrations)
    stop = table.steps.stop("remove", "before")
    leaving = asyncio.create_task(
        replace(lkps, registrations=table, seed=5).send("DELETE", path, by=AGENT)
    )
    await stop.reached.wait()
    assert (await lkps.send("DELETE", path, by=AGENT)).status == 204
    stop.release()
    assert (await leaving).status == 204


@pytest.mark.usefixtures("impatient")
async def test_a_claim_that_was_assigned_while_it_was_taken_back_is_left_alone(lkps: Lkps) -> None:
    table = SteppingRows(lkps.agents)
    table.lose("add")
    runner = {"tid": TENANT, "oid": guid("sp other agent")}

    async def assign() -> None:
        await lkps.assign({"runners": [runner]})

    table.steps.once("remove", "before", assign)
    assert (await registered(replace(lkps, agents=table, seed=3), "concierge")).status == 503
    assert (await owned(lkps)).runners == {OTHER_AGENT_ID}


@pytest.mark.usefixtures("impatient")
async def test_a_registration_that_is_renewed_while_it_is_taken_back_is_left_to_its_lease(
    lkps: Lkps,
) -> None:
    await lkps.register()
    table = SteppingRegistrations(lkps.registrations)
    table.lose("add")

    async def renew() -> None:
        (row,) = [
            row for row in await lkps.registrations.live("concierge", NOW, 9) if row.id not in known
        ]
        stored = await lkps.registrations.get("concierge", row.id)
        assert stored is not None
        await lkps.registrations.replace(replace(row, routing_version=2), stored.etag)

    known = {row.id for row in await lkps.registrations.live("concierge", NOW, 9)}
    table.steps.once("remove", "before", renew)
    answer = await registered(replace(lkps, registrations=table, seed=3), "concierge")
    assert answer.status == 503
    assert len(await lkps.registrations.live("concierge", NOW, 9)) == 2
