"""Rotating an agent's routing secret: planned without an outage, in an emergency at once."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lkps_core.agents.routing import routing_secret
from lkps_core.sessions import rerouting
from tests.builders.conditions import until
from tests.builders.lkps import ADMIN, AGENT, CLIENT, Answered, Lkps, guid
from tests.builders.stepping import SteppingRows
from tests.unit.governance.arranging import (
    ADA,
    OLGA,
    OTHER_OWNER,
    OWNER,
    governed,
    refused,
    shown,
)


@pytest.fixture
async def lkps() -> Lkps:
    return await governed(access_mode="open")


@dataclass
class Instance:
    """A worker as the SDK runs it: it renews, and reconnects with the secret that it is given."""

    lkps: Lkps
    registration: dict[str, Any]
    connected_with: int

    @classmethod
    async def online(cls, lkps: Lkps) -> "Instance":
        registration = await lkps.register()
        return cls(lkps, registration, registration["routing_version"])

    async def renew(self) -> Answered:
        body = {
            "token_expires_at": self.registration["expires_at"],
            "routing_version": self.connected_with,
        }
        path = f"agent/registrations/{self.registration['registration_id']}/renew"
        answer = await self.lkps.send("POST", path, body, by=AGENT)
        self.connected_with = answer.json["routing_version"]
        return answer


async def rotate(
    lkps: Lkps, *, by: str = OLGA, name: str = "concierge", **body: object
) -> Answered:
    return await lkps.send("POST", f"agents/{name}/rotate", {"reason": "a test", **body}, by=by)


def secret(lkps: Lkps, version: int) -> str:
    return routing_secret(lkps.services.settings.secret, "concierge", version)


async def dispatched_to(lkps: Lkps) -> int:
    """The version of the secret with which a session that starts now is dispatched."""
    room_name = (await lkps.start(by=CLIENT)).json["room_name"]
    deployment = lkps.rooms.rooms[room_name].room.deployment
    return next(version for version in range(1, 9) if deployment == secret(lkps, version))


@pytest.mark.parametrize("by", [OLGA, OWNER, ADA, ADMIN])
async def test_a_planned_rotation_tells_who_has_to_move_and_costs_no_outage(
    lkps: Lkps, by: str
) -> None:
    answer = await rotate(lkps, by=by)
    told = answer.json
    assert told.pop("detail").startswith("Each instance gets the new secret when it renews next")
    assert told == {
        "agent_name": "concierge",
        "routing_version": 2,
        "previous_routing_version": 1,
        "instances_to_move": 1,
        "outage_seconds": 0,
    }
    assert (await shown(lkps))["routing_version"] == 2


@pytest.mark.parametrize("by", [OLGA, OWNER, ADA, ADMIN])
async def test_an_emergency_rotation_tells_the_outage_that_it_costs(lkps: Lkps, by: str) -> None:
    answer = await rotate(lkps, by=by, emergency=True)
    told = answer.json
    assert "in 60 s at most" in told.pop("detail")
    assert told == {
        "agent_name": "concierge",
        "routing_version": 2,
        "instances_to_move": 1,
        "outage_seconds": 60,
    }


async def test_an_emergency_costs_no_outage_where_nobody_is_online(lkps: Lkps) -> None:
    lkps.clock.pass_by(180)
    answer = await rotate(lkps, emergency=True)
    assert (answer.json["instances_to_move"], answer.json["outage_seconds"]) == (0, 0)


async def test_the_outage_is_as_long_as_renewals_are_apart() -> None:
    lkps = await governed({"LKPS_RENEW_SECONDS": "300"}, access_mode="open")
    answer = await rotate(lkps, emergency=True)
    assert answer.json["outage_seconds"] == 300
    assert "300 s" in answer.json["detail"]


async def test_the_new_secret_is_given_out_once_every_process_knows_of_it(lkps: Lkps) -> None:
    one = await Instance.online(lkps)
    await rotate(lkps)
    for seconds, version in ((0, 1), (5.9, 1), (0.1, 2)):
        lkps.clock.pass_by(seconds)
        for answer in ((await one.renew()).json, (await Instance.online(lkps)).registration):
            assert answer["routing_version"] == version
            assert answer["deployment"] == secret(lkps, version)


async def test_while_instances_move_starts_go_to_where_most_of_them_are(lkps: Lkps) -> None:
    instances = [await Instance.online(lkps) for _ in range(3)]
    await lapsed(lkps, instances)
    assert (await rotate(lkps)).json["instances_to_move"] == 3
    lkps.clock.pass_by(6)
    versions = [await dispatched_to(lkps)]
    for one in instances:
        await one.renew()
        versions.append(await dispatched_to(lkps))
    assert versions == [1, 1, 2, 2]


async def lapsed(lkps: Lkps, kept: list[Instance]) -> None:
    """Of the agent's instances, those alone are online."""
    lkps.clock.pass_by(150)
    for one in kept:
        await one.renew()
    lkps.clock.pass_by(30)
    assert len((await shown(lkps))["instances"]) == len(kept)


async def test_another_process_sees_within_five_seconds_that_instances_have_moved(
    lkps: Lkps,
) -> None:
    one = await Instance.online(lkps)
    await lapsed(lkps, [one])
    elsewhere = lkps.another_process()
    await rotate(lkps)
    lkps.clock.pass_by(6)
    assert await dispatched_to(elsewhere) == 1
    await one.renew()
    lkps.clock.pass_by(5)
    assert (await dispatched_to(lkps), await dispatched_to(elsewhere)) == (2, 2)


async def test_of_as_many_here_as_there_starts_go_to_the_new_secret(lkps: Lkps) -> None:
    one = await Instance.online(lkps)
    await rotate(lkps)
    lkps.clock.pass_by(6)
    await one.renew()
    assert await dispatched_to(lkps) == 2


@pytest.fixture
def promptly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a worker took the job is looked at without waiting for it."""
    monkeypatch.setattr(rerouting, "REROUTE_AFTER", 0.0)


@pytest.mark.usefixtures("promptly")
async def test_a_job_that_reached_no_worker_is_sent_to_where_instances_were_before(
    lkps: Lkps,
) -> None:
    """The instance was given the new secret, and has not reconnected with it yet."""
    one = await Instance.online(lkps)
    await lapsed(lkps, [one])
    await rotate(lkps)
    lkps.clock.pass_by(6)
    await one.renew()
    assert lkps.rooms.workers == {("concierge", secret(lkps, 1))}
    assert await dispatched_to(lkps) == 2
    (room,) = lkps.rooms.rooms.values()
    await until(lambda: [one.is_agent for one in room.participants] == [True])
    assert room.room.deployment == secret(lkps, 2)


@pytest.mark.usefixtures("promptly")
async def test_no_job_is_sent_again_where_all_instances_have_moved(lkps: Lkps) -> None:
    one = await Instance.online(lkps)
    await lapsed(lkps, [one])
    await rotate(lkps)
    lkps.clock.pass_by(6)
    for _ in range(2):
        await one.renew()
    lkps.clock.pass_by(5)
    assert await dispatched_to(lkps) == 2
    await lkps.services.close()
    assert "reroute" not in lkps.rooms.calls


async def test_with_nobody_online_starts_go_to_the_new_secret(lkps: Lkps) -> None:
    lkps.clock.pass_by(180)
    await rotate(lkps)
    assert await dispatched_to(lkps) == 2


async def test_after_an_emergency_nothing_goes_to_the_old_secret(lkps: Lkps) -> None:
    elsewhere = lkps.another_process()
    assert (await dispatched_to(lkps), await dispatched_to(elsewhere)) == (1, 1)
    await rotate(lkps, emergency=True)
    assert await dispatched_to(lkps) == 2
    lkps.clock.pass_by(5)
    assert await dispatched_to(elsewhere) == 2


async def test_an_emergency_overtakes_a_planned_rotation_that_is_under_way(lkps: Lkps) -> None:
    await rotate(lkps)
    answer = await rotate(lkps, emergency=True)
    assert (answer.json["routing_version"], answer.json["outage_seconds"]) == (3, 60)
    assert "previous_routing_version" not in answer.json
    assert await dispatched_to(lkps) == 3


async def test_another_planned_rotation_waits_until_the_last_instance_has_moved(
    lkps: Lkps,
) -> None:
    one = await Instance.online(lkps)
    await lapsed(lkps, [one])
    await rotate(lkps)
    lkps.clock.pass_by(6)
    for _ in range(2):
        answer = await rotate(lkps)
        assert refused(answer) == (409, "rotation_under_way")
        assert answer.headers["Retry-After"] == "60"
        await one.renew()
    assert (await rotate(lkps)).json["routing_version"] == 3


async def test_an_instance_that_is_gone_holds_no_rotation_up(lkps: Lkps) -> None:
    await rotate(lkps)
    assert refused(await rotate(lkps)) == (409, "rotation_under_way")
    lkps.clock.pass_by(180)
    assert (await rotate(lkps)).json["routing_version"] == 3


async def test_the_trail_has_who_rotated_how_and_why(lkps: Lkps) -> None:
    await rotate(lkps, reason="every quarter")
    await rotate(lkps, by=OWNER, emergency=True, reason="it was in a ticket")
    planned, emergency = (row for row in lkps.rows if row["action"] == "agent.rotated")
    assert (planned["reason"], planned["comment"]) == ("planned", "every quarter")
    assert (emergency["reason"], emergency["comment"]) == ("emergency", "it was in a ticket")
    assert (planned["routing_version"], emergency["routing_version"]) == (2, 3)
    assert (planned["oid"], emergency["oid"]) == (guid("user olga"), guid("sp owner"))
    assert planned["agent_name"] == emergency["agent_name"] == "concierge"


async def test_no_secret_is_in_an_answer_or_on_the_trail(lkps: Lkps) -> None:
    paths = ("agents/concierge", "agents", "policy")
    answers = [
        await rotate(lkps),
        await rotate(lkps, emergency=True),
        await rotate(lkps),
        *[await lkps.send("GET", path, by=OLGA) for path in paths],
    ]
    told = b"".join(answer.raw for answer in answers) + repr(lkps.rows).encode()
    for version in range(1, 9):
        assert secret(lkps, version).encode() not in told


@pytest.mark.usefixtures("impatient")
async def test_without_the_trail_nothing_is_rotated(lkps: Lkps) -> None:
    lkps.trail.down = True
    assert refused(await rotate(lkps)) == (503, "audit_unavailable")
    lkps.trail.down = False
    assert (await shown(lkps))["routing_version"] == 1


async def test_of_two_who_rotate_in_one_moment_the_later_one_is_told(lkps: Lkps) -> None:
    table = SteppingRows(lkps.agents)
    stop = table.steps.stop("replace", "before")
    late = asyncio.create_task(rotate(replace(lkps, agents=table, seed=3), emergency=True))
    await stop.reached.wait()
    await rotate(lkps)
    stop.release()
    assert refused(await late) == (409, "edited_meanwhile")
    assert (await shown(lkps))["routing_version"] == 2


async def test_who_does_not_manage_an_agent_does_not_rotate_its_secret(lkps: Lkps) -> None:
    for name in ("concierge", "nobody"):
        assert refused(await rotate(lkps, by=OTHER_OWNER, name=name)) == (404, "agent_not_found")
    for by in (AGENT, CLIENT):
        assert refused(await rotate(lkps, by=by)) == (403, "permission_lacking")


@pytest.mark.parametrize("body", [{"reason": "no"}, {"reason": None}, {"emergency": 1}])
async def test_a_rotation_says_why(lkps: Lkps, body: dict[str, Any]) -> None:
    assert refused(await rotate(lkps, **body)) == (422, "body_invalid")
