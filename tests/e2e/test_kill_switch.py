"""The kill switch, on live rooms with people in them, across two processes of the service."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from dev.platform import Platform
from tests.e2e.parts.guest import joined
from tests.e2e.parts.lkps import Lkps, calling, new_agent_name
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.waiting import eventually

REFUSED_WITHIN = 5.0
ENDED_WITHIN = 10.0


@dataclass(frozen=True)
class Target:
    """What is blocked, and who is refused for it, with which code."""

    kind: str
    who: str
    code: str

    def subject(self, platform: Platform, agent_name: str, session_id: str) -> dict[str, str]:
        caller = platform.identities[self.who]
        return {
            "agent": {"agent_name": agent_name},
            "application": {"client_app_id": caller.client_id},
            "user": {"user_oid": caller.object_id},
            "session": {"session_id": session_id},
        }[self.kind]


TARGETS = (
    Target("agent", "client", "agent_not_callable"),
    Target("application", "other-client", "caller_blocked"),
    Target("user", "bob", "caller_blocked"),
)


@pytest.fixture
async def elsewhere(platform: Platform, lkps: Lkps) -> AsyncIterator[Lkps]:
    """The same service in another process."""
    async with platform.service_process() as other:
        yield lkps.at(other.url)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
async def test_a_block_ends_what_is_live_and_refuses_what_is_new_everywhere(
    platform: Platform,
    lkps: Lkps,
    elsewhere: Lkps,
    rooms: Rooms,
    tables: Tables,
    target: Target,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await lkps.set_limits(starts_per_minute_per_user=10_000)
    agent_name, bystander = new_agent_name(), new_agent_name()
    await lkps.register(agent_name)
    await lkps.register(bystander)
    spared = await lkps.start(bystander, "alice")
    live = [await one.start(agent_name, target.who) for one in (lkps, elsewhere)]
    began = time.monotonic()
    async with (
        joined(live[0]["livekit_url"], live[0]["participant_token"]) as here,
        joined(live[1]["livekit_url"], live[1]["participant_token"]) as there,
        asyncio.TaskGroup() as tasks,
    ):
        began = time.monotonic()
        subject = target.subject(platform, agent_name, live[0]["session_id"])
        refused = [
            tasks.create_task(_refused(one, agent_name, target)) for one in (lkps, elsewhere)
        ]
        blocked = await lkps.call(
            "admin", "POST", "revocations", {**subject, "reason": "an incident"}
        )
        answered = time.monotonic() - began
        async with asyncio.timeout(ENDED_WITHIN):
            await asyncio.gather(here.left.wait(), there.left.wait())
        ended = time.monotonic() - began
    refused_after = max([task.result() for task in refused]) - began
    # what was decided just before the block has been ended too, ten seconds after it
    await eventually(lambda: _none_of(rooms, agent_name), ENDED_WITHIN)
    all_gone = time.monotonic() - began

    assert blocked.status == 201
    assert refused_after < REFUSED_WITHIN
    assert ended < ENDED_WITHIN
    assert spared["room_name"] in await rooms.names()
    rows = await tables.sessions(agent_name)
    await eventually(lambda: _all_ended(tables, agent_name), ENDED_WITHIN)
    assert {row["cause"] for row in await tables.sessions(agent_name)} == {"blocked"}, rows
    (row,) = await tables.trail(
        action="revocation.created", subject=blocked.json["revocation_id"], comment="an incident"
    )
    assert row["oid"] == platform.identities["admin"].object_id
    lifted = await _lift(lkps, blocked.json["revocation_id"])
    await eventually(lambda: _starts(elsewhere, agent_name, target.who), REFUSED_WITHIN + 1)
    with capsys.disabled():
        print(  # noqa: T201  its times are what the test is read for
            f"\nblock of {target.kind:11}: answered {answered:.2f} s, people out {ended:.2f} s, "
            f"refused everywhere {refused_after:.2f} s, no room left {all_gone:.2f} s"
        )
    assert lifted == 204


async def test_one_session_is_ended_and_no_other(
    platform: Platform, lkps: Lkps, elsewhere: Lkps, rooms: Rooms, agent_name: str
) -> None:
    await lkps.register(agent_name)
    doomed, spared = [await elsewhere.start(agent_name, key=key) for key in ("one", "two")]
    async with joined(doomed["livekit_url"], doomed["participant_token"]) as guest:
        body = {"session_id": doomed["session_id"], "reason": "an incident"}
        blocked = await lkps.call("admin", "POST", "revocations", body)
        async with asyncio.timeout(ENDED_WITHIN):
            await guest.left.wait()
    again = await elsewhere.start(agent_name, key="one")

    assert (blocked.json["sessions_found"], blocked.json["sessions_ended"]) == (1, 1)
    assert blocked.json["beyond_reach"] == []
    assert (again.status, again.code) == (409, "session_ended")
    assert (await lkps.show(doomed["session_id"])).json["cause"] == "blocked"
    assert (await lkps.show(spared["session_id"])).json["state"] == "created"
    assert await rooms.of_agent(agent_name) == {spared["room_name"]}
    assert await _lift(lkps, blocked.json["revocation_id"]) == 204


async def test_a_blocked_agent_neither_registers_nor_renews_nor_is_called_and_comes_back_by_itself(
    platform: Platform, lkps: Lkps, agents: AgentLauncher, agent_name: str
) -> None:
    agent = await agents.start("tests/e2e/programs/light_agent.py")
    await agent.is_connected()
    held = (await lkps.register(agent_name)).json
    renewal = {"token_expires_at": held["expires_at"], "routing_version": 1}
    path = f"agent/registrations/{held['registration_id']}/renew"

    body = {"agent_name": agent_name, "reason": "an incident"}
    blocked = await lkps.call("admin", "POST", "revocations", body)
    answers = [
        await lkps.register(agent_name),
        await lkps.call("agent", "POST", path, renewal),
        await lkps.start(agent_name),
    ]

    assert [answer.code for answer in answers] == [
        "agent_blocked",
        "agent_blocked",
        "agent_not_callable",
    ]
    (reach,) = blocked.json["beyond_reach"]
    assert reach["what"].startswith("Its instances (2 are live) keep their connection")
    assert reach["runbook"] == "docs/authorization.md#what-a-block-cannot-reach"
    assert await _lift(lkps, blocked.json["revocation_id"]) == 204
    assert (await lkps.start(agent_name, wait_for_agent=10))["agent_status"] == "joined"


async def test_starts_under_way_while_the_block_comes_leave_no_room(
    platform: Platform, lkps: Lkps, elsewhere: Lkps, rooms: Rooms, agent_name: str
) -> None:
    await lkps.register(agent_name)
    await asyncio.gather(*(one.start(agent_name) for one in (lkps, elsewhere)))
    enough = asyncio.Event()
    async with calling(platform) as crowd, asyncio.TaskGroup() as tasks:

        async def go_on(one: Lkps) -> None:
            while not enough.is_set():
                await one.start(agent_name)

        callers = [crowd, crowd.at(elsewhere.url)]
        for _ in range(4):
            for one in callers:
                tasks.create_task(go_on(one))
        await eventually(lambda: _some_of(rooms, agent_name))
        body = {"agent_name": agent_name, "reason": "an incident"}
        blocked = await lkps.call("admin", "POST", "revocations", body)
        began = time.monotonic()
        await eventually(lambda: _none_of(rooms, agent_name), ENDED_WITHIN)
        await eventually(lambda: time.monotonic() - began > ENDED_WITHIN)
        survivors = await rooms.of_agent(agent_name)
        enough.set()

    assert survivors == set()
    assert await _lift(lkps, blocked.json["revocation_id"]) == 204


async def _refused(lkps: Lkps, agent_name: str, target: Target) -> float:
    """When it was first refused, and from then on was."""
    while (answer := await lkps.start(agent_name, target.who)).status == 200:
        continue
    assert answer.code == target.code
    at = time.monotonic()
    assert (await lkps.start(agent_name, target.who)).code == target.code
    return at


async def _starts(lkps: Lkps, agent_name: str, who: str) -> bool:
    return (await lkps.start(agent_name, who)).status == 200


async def _none_of(rooms: Rooms, agent_name: str) -> bool:
    return not await rooms.of_agent(agent_name)


async def _some_of(rooms: Rooms, agent_name: str) -> bool:
    return len(await rooms.of_agent(agent_name)) > 4


async def _all_ended(tables: Tables, agent_name: str) -> bool:
    return {row["state"] for row in await tables.sessions(agent_name)} == {"ended"}


async def _lift(lkps: Lkps, revocation_id: str) -> int:
    return (await lkps.call("admin", "DELETE", f"revocations/{revocation_id}")).status
