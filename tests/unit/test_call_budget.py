"""What each route costs in calls to LiveKit and to storage: exactly so much."""

import asyncio
from dataclasses import dataclass, field

import pytest

from tests.builders.lkps import ADMIN, AGENT, ALICE, CLIENT, OTHER_CLIENT, Answered, Lkps
from tests.unit.sessions.arranging import started


@dataclass
class Spent:
    """Calls between two moments, by port."""

    agents: list[str] = field(default_factory=list[str])
    registrations: list[str] = field(default_factory=list[str])
    sessions: list[str] = field(default_factory=list[str])
    trail: list[int] = field(default_factory=list[int])
    rooms: list[str] = field(default_factory=list[str])
    grants: list[str] = field(default_factory=list[str])
    revocations: list[str] = field(default_factory=list[str])
    limits: list[str] = field(default_factory=list[str])


class Meter:
    def __init__(self, lkps: Lkps) -> None:
        self._lkps = lkps
        self._before = self._all()

    def _all(self) -> Spent:
        one = self._lkps
        return Spent(
            [*one.agents.calls],
            [*one.registrations.calls],
            [*one.sessions.calls],
            [*one.trail.calls],
            [*one.rooms.calls],
            [*one.grants.calls],
            [*one.revocations.calls],
            [*one.limits.calls],
        )

    def spent(self) -> Spent:
        now, before = self._all(), self._before
        return Spent(
            now.agents[len(before.agents) :],
            now.registrations[len(before.registrations) :],
            now.sessions[len(before.sessions) :],
            now.trail[len(before.trail) :],
            now.rooms[len(before.rooms) :],
            now.grants[len(before.grants) :],
            now.revocations[len(before.revocations) :],
            now.limits[len(before.limits) :],
        )


POLICY = (["page"], ["page"], ["get"])
"""A reading of the client's grants, the blocks and the limits."""


@pytest.fixture
async def lkps() -> Lkps:
    """Warm: an agent online and known, a session started."""
    lkps = Lkps()
    await lkps.register()
    await lkps.start()
    return lkps


def ok(answer: Answered) -> Answered:
    assert answer.status in (200, 201, 204), answer.raw
    return answer


async def test_a_warm_start_is_one_room_one_row_and_one_audit_row(lkps: Lkps) -> None:
    meter = Meter(lkps)
    ok(await lkps.start())
    assert meter.spent() == Spent(sessions=["add"], trail=[1], rooms=["create"])


@pytest.mark.parametrize("key", ["one", "two"])
async def test_an_idempotency_key_costs_nothing_more(lkps: Lkps, key: str) -> None:
    meter = Meter(lkps)
    ok(await lkps.start(key=key))
    assert meter.spent() == Spent(sessions=["add"], trail=[1], rooms=["create"])


async def test_a_cold_start_reads_the_agent_and_its_instances_besides(lkps: Lkps) -> None:
    cold = lkps.another_process()
    meter = Meter(cold)
    ok(await cold.start())
    assert meter.spent() == Spent(["get"], ["live"], ["add"], [1], ["create"], *POLICY)


async def test_the_start_of_an_agent_that_is_offline_asks_for_instances_once(lkps: Lkps) -> None:
    lkps.clock.pass_by(180)
    meter = Meter(lkps)
    ok(await lkps.start())
    assert meter.spent() == Spent(["get"], ["live"], ["add"], [1], ["create"], *POLICY)


async def test_what_is_read_is_remembered_between_starts(lkps: Lkps) -> None:
    meter = Meter(lkps)
    for _ in range(5):
        ok(await lkps.start(by=OTHER_CLIENT))
    assert meter.spent() == Spent(sessions=["add"] * 5, trail=[1] * 5, rooms=["create"] * 5)


async def test_while_in_use_what_is_remembered_is_refreshed_off_the_path(lkps: Lkps) -> None:
    lkps.clock.pass_by(4.9)
    meter = Meter(lkps)
    ok(await lkps.start())
    ok(await lkps.start())
    lkps.clock.pass_by(2)
    ok(await lkps.start())
    spent = meter.spent()
    assert (spent.agents, spent.registrations) == (["get"], ["live"])


async def test_a_start_that_waits_looks_into_the_room_besides(lkps: Lkps) -> None:
    meter = Meter(lkps)
    ok(await lkps.start(wait_for_agent=5))
    assert meter.spent() == Spent(sessions=["add"], trail=[1], rooms=["create", "look"])


async def test_a_repeated_start_reads_and_writes_its_row_besides(lkps: Lkps) -> None:
    ok(await lkps.start(key="one"))
    meter = Meter(lkps)
    ok(await lkps.start(key="one"))
    assert meter.spent() == Spent(
        sessions=["add", "get", "replace"], trail=[1, 1], rooms=["create"]
    )


async def test_starts_in_one_moment_share_their_audit_transactions(lkps: Lkps) -> None:
    meter = Meter(lkps)
    for answer in await asyncio.gather(*(lkps.start() for _ in range(64))):
        ok(answer)
    assert meter.spent().trail == [16, 16, 16, 16]


async def test_a_start_of_an_unknown_agent_makes_nothing(lkps: Lkps) -> None:
    meter = Meter(lkps)
    assert (await lkps.start("nobody")).status == 403
    assert meter.spent() == Spent(["get"], ["live"], [], [1], [], *POLICY)


async def test_a_registration_is_one_row_and_one_audit_row(lkps: Lkps) -> None:
    meter = Meter(lkps)
    await lkps.send("GET", "agents/concierge", by=ADMIN)
    meter = Meter(lkps)
    ok(await lkps.send("POST", "agent/register", {"agent_name": "concierge"}, by=AGENT))
    assert meter.spent() == Spent(registrations=["add"], trail=[1])


async def test_the_first_registration_of_a_name_adds_the_name_besides() -> None:
    lkps = Lkps()
    meter = Meter(lkps)
    ok(await lkps.send("POST", "agent/register", {"agent_name": "concierge"}, by=AGENT))
    assert meter.spent() == Spent(["get", "add"], ["add"], [], [1, 1], [], revocations=["page"])


async def test_a_heartbeat_reads_and_writes_its_row_and_records_nothing() -> None:
    lkps = Lkps()
    held = await lkps.register()
    await lkps.start()
    meter = Meter(lkps)
    body = {"token_expires_at": held["expires_at"], "routing_version": 1}
    path = f"agent/registrations/{held['registration_id']}"
    ok(await lkps.send("POST", f"{path}/renew", body, by=AGENT))
    assert meter.spent() == Spent(registrations=["get", "replace"])

    lkps.clock.pass_by(1800)
    meter = Meter(lkps)
    ok(await lkps.send("POST", f"{path}/renew", body, by=AGENT))
    assert meter.spent() == Spent(["get"], ["get", "replace"], [], [1], [], revocations=["page"])

    meter = Meter(lkps)
    ok(await lkps.send("DELETE", path, by=AGENT))
    assert meter.spent() == Spent(registrations=["get", "remove"], trail=[1])


async def test_reading_and_ending_a_session(lkps: Lkps) -> None:
    session_id = (await lkps.start()).json["session_id"]
    meter = Meter(lkps)
    ok(await lkps.send("GET", f"session/{session_id}", by=CLIENT))
    assert meter.spent() == Spent(sessions=["get", "replace"], rooms=["look", "jobs"])

    meter = Meter(lkps)
    ok(await lkps.send("GET", f"session/{session_id}", by=CLIENT))
    assert meter.spent() == Spent(sessions=["get"], rooms=["look", "jobs"])

    meter = Meter(lkps)
    ok(await lkps.send("POST", f"session/{session_id}/end", by=CLIENT))
    assert meter.spent() == Spent(
        sessions=["get", "replace", "replace"], trail=[1], rooms=["delete"]
    )

    meter = Meter(lkps)
    ok(await lkps.send("POST", f"session/{session_id}/end", by=CLIENT))
    ok(await lkps.send("GET", f"session/{session_id}", by=CLIENT))
    assert meter.spent() == Spent(sessions=["get", "get"])


JOINED = Spent(sessions=["get", "get", "replace"], trail=[1], rooms=["look", "jobs"])


async def test_another_token_of_a_session_reads_its_row_twice_and_writes_it_once(
    lkps: Lkps,
) -> None:
    path = f"session/{(await lkps.start()).json['session_id']}"
    ok(await lkps.send("GET", path, by=CLIENT))
    meter = Meter(lkps)
    ok(await lkps.send("POST", f"{path}/token", by=CLIENT))
    assert meter.spent() == JOINED

    meter = Meter(lkps)
    made = ok(await lkps.send("POST", f"{path}/invitations", by=CLIENT)).json
    assert meter.spent() == Spent(sessions=["get", "replace"], trail=[1])

    meter = Meter(lkps)
    body = {"invitation": made["invitation"]}
    ok(await lkps.send("POST", f"{path}/token", body, by=OTHER_CLIENT))
    assert meter.spent() == JOINED


async def test_a_list_of_sessions_is_one_query_and_asks_livekit_nothing(lkps: Lkps) -> None:
    meter = Meter(lkps)
    ok(await lkps.send("GET", "sessions?agent_name=concierge", by=CLIENT))
    assert meter.spent() == Spent(sessions=["of_agent"])

    meter = Meter(lkps)
    ok(await lkps.send("GET", "sessions?agent_name=concierge", by=ALICE))
    assert meter.spent() == Spent(agents=["get"], sessions=["of_agent"])


async def test_reading_and_assigning_an_agent(lkps: Lkps) -> None:
    meter = Meter(lkps)
    ok(await lkps.send("GET", "agents/concierge", by=ADMIN))
    assert meter.spent() == Spent(agents=["get"])

    meter = Meter(lkps)
    ok(await lkps.assign({"beat_id": "BEAT-7"}))
    assert meter.spent() == Spent(agents=["get", "replace"], trail=[1])


@pytest.mark.parametrize("path", ["health/live", "openapi.json"])
async def test_what_is_open_to_everyone_costs_nothing(lkps: Lkps, path: str) -> None:
    meter = Meter(lkps)
    ok(await lkps.send("GET", path))
    ok(await lkps.send("OPTIONS", "session/start"))
    assert meter.spent() == Spent()


async def test_readiness_asks_each_dependency_once_in_five_seconds(lkps: Lkps) -> None:
    meter = Meter(lkps)
    for _ in range(10):
        ok(await lkps.send("GET", "health/ready"))
    assert meter.spent() == Spent(agents=["get"], rooms=["ping"])


async def test_who_is_not_known_costs_no_call_at_all(lkps: Lkps) -> None:
    meter = Meter(lkps)
    for by in (None, "Bearer a.b.c", "Basic x"):
        assert (await lkps.send("POST", "session/start", {}, by=by)).status == 401
    assert meter.spent() == Spent()


async def test_the_tenants_keys_are_fetched_once(lkps: Lkps) -> None:
    for _ in range(5):
        ok(await lkps.start())
    assert lkps.keys.fetches == 1


async def test_what_workers_and_livekit_tell(lkps: Lkps) -> None:
    registration_id = (await lkps.register())["registration_id"]
    talk = await started(lkps)
    (agent,) = talk.agents

    meter = Meter(lkps)
    await talk.report(registration_id, agent, "accepted")
    assert meter.spent() == Spent(registrations=["get"], sessions=["get", "replace"])

    meter = Meter(lkps)
    await talk.tell("participant_joined", agent)
    assert meter.spent() == Spent(sessions=["get", "replace", "replace"], rooms=["look"])

    talk.enter()
    meter = Meter(lkps)
    await talk.tell("participant_joined")
    assert meter.spent() == Spent(sessions=["get", "replace"])

    meter = Meter(lkps)
    await talk.tell("participant_joined")
    assert meter.spent() == Spent(sessions=["get"])

    meter = Meter(lkps)
    await talk.report(registration_id, agent, "failed")
    assert meter.spent() == Spent(
        agents=["get"],
        registrations=["get", "live"],
        sessions=["get", "replace", "replace", "replace"],
        trail=[1, 1],
        rooms=["look", "dispatch_anew"],
    )
