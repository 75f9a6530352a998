"""The agent server against the real livekit-server and the real worker library."""

import asyncio
import time

from dev.demo.caller import Caller
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.livekit import LiveKit
from tests.sdk.parts.lkps import LkpsDouble, Refusal
from tests.sdk.parts.tap import Tap
from tests.sdk.parts.tenant import CLIENT_SECRET, TenantDouble
from tests.sdk.parts.waiting import eventually


async def test_an_agent_without_any_livekit_key_gets_its_job_and_echoes(
    agents: AgentLauncher, lkps: LkpsDouble, livekit: LiveKit, caller: Caller
) -> None:
    agent = await agents.echo()
    await agent.is_connected()
    wrong = await livekit.create_room("echo", lkps.routing_secret(2))
    room = await livekit.create_room("echo", lkps.routing_secret())
    await eventually(lambda: livekit.agents_in(room))
    await caller.join(livekit.url, livekit.participant_token(room, "someone"))
    await caller.speak(440)

    assert await caller.exchange(b"hello") == b"hello"
    assert 435 <= await asyncio.wait_for(caller.loudest_frequency(), 20) <= 445
    assert await livekit.jobs_of(wrong) == 0
    for environment in agent.environments():
        assert b"LIVEKIT_API" not in environment
        assert livekit.secret.encode() not in environment


async def test_no_secret_and_no_token_is_in_the_output_or_in_an_environment(
    agents: AgentLauncher,
    lkps: LkpsDouble,
    livekit: LiveKit,
    tenant: TenantDouble,
    tap: Tap,
    caller: Caller,
) -> None:
    lkps.renew_after, lkps.always_new_token = 1, True
    agent = await agents.echo("start", "--log-level", "debug")
    await agent.is_connected()
    room = await livekit.create_room("echo", lkps.routing_secret())
    await eventually(lambda: livekit.agents_in(room))
    await caller.join(livekit.url, livekit.participant_token(room, "someone"))
    assert await caller.exchange(b"hello") == b"hello"
    tap.cut_workers()
    await agent.is_connected(times=2)
    lkps.routing_version = 2
    await agent.is_connected(times=3)
    secrets = [lkps.routing_secret(1), lkps.routing_secret(2), *lkps.tokens, *tenant.issued]
    environments = b"".join(agent.environments()).decode(errors="replace")
    agent.tell_to_end()
    await agent.says("draining worker")

    assert '"level": "DEBUG"' in agent.output
    assert '"deployment": "***"' in agent.output
    assert [secret for secret in [*secrets, CLIENT_SECRET, "eyJ"] if secret in agent.output] == []
    assert [secret for secret in [*secrets, "eyJ"] if secret in environments] == []


async def test_an_agent_outlives_an_absence_of_livekit(
    agents: AgentLauncher, lkps: LkpsDouble, livekit: LiveKit
) -> None:
    agent = await agents.bare()
    await agent.is_connected()
    livekit.stop()
    await agent.says("the agent is not connected to LiveKit")
    await livekit.start()

    await agent.is_connected(times=2)
    await agent.says("the agent is connected to LiveKit again")
    room = await livekit.create_room("bare", lkps.routing_secret())
    await eventually(lambda: livekit.agents_in(room))
    assert agent.output.count("the agent is not connected") == 1
    assert agent.output.count("failed to connect to livekit") == 1  # that it was lost
    assert len(lkps.registrations) == 1


async def test_an_agent_without_livekit_ends_when_it_is_told_to(
    agents: AgentLauncher, livekit: LiveKit
) -> None:
    agent = await agents.bare()
    await agent.is_connected()
    livekit.stop()
    await agent.says("the agent is not connected to LiveKit")

    assert await agent.stop() == 0


async def test_the_coloured_lines_of_dev_hold_no_routing_secret(
    agents: AgentLauncher, lkps: LkpsDouble
) -> None:
    agent = await agents.bare("dev", "--no-reload")
    await agent.says("registered worker")

    assert '"deployment": "***"' in agent.output
    assert lkps.routing_secret() not in agent.output
    assert await agent.stop() == 0
    assert lkps.live == set()


async def test_renewals_keep_the_connection_and_a_reconnection_brings_the_newest_token(
    agents: AgentLauncher, lkps: LkpsDouble, tap: Tap
) -> None:
    lkps.renew_after, lkps.always_new_token = 1, True
    agent = await agents.bare()
    await agent.is_connected()
    await eventually(lambda: len(lkps.renewals) >= 2)
    assert [request.authorization for request in tap.workers] == [f"Bearer {lkps.tokens[0]}"]

    tap.cut_workers()
    await agent.is_connected(times=2)

    assert tap.workers[1].authorization.removeprefix("Bearer ") in lkps.tokens[2:]
    assert len(lkps.registrations) == 1


async def test_a_token_that_expired_is_renewed_before_the_reconnection(
    agents: AgentLauncher, lkps: LkpsDouble, tap: Tap
) -> None:
    lkps.token_seconds = 12
    agent = await agents.bare()
    await agent.is_connected()
    issued = time.monotonic()
    assert lkps.renewals == []

    await eventually(lambda: time.monotonic() > issued + 3)  # ten seconds before it expires
    lkps.token_seconds = 600
    tap.cut_workers()
    await agent.is_connected(times=2)

    assert tap.workers[1].authorization == f"Bearer {lkps.tokens[1]}"
    assert len(lkps.renewals) == 1


async def test_a_token_that_livekit_refuses_is_renewed_before_it_expires(
    agents: AgentLauncher, lkps: LkpsDouble
) -> None:
    lkps.next_signature = "a-key-that-livekit-does-not-have-0123456789"
    agent = await agents.bare()
    await agent.is_connected()

    assert len(lkps.tokens) == 2
    assert len(lkps.registrations) == 1


async def test_a_rotated_routing_secret_reaches_new_sessions_and_ends_no_old_one(
    agents: AgentLauncher, lkps: LkpsDouble, livekit: LiveKit, caller: Caller
) -> None:
    lkps.renew_after = 1
    agent = await agents.echo()
    await agent.is_connected()
    old_secret = lkps.routing_secret()
    room = await livekit.create_room("echo", old_secret)
    await eventually(lambda: livekit.agents_in(room))
    before = await livekit.agents_in(room)
    await caller.join(livekit.url, livekit.participant_token(room, "someone"))
    assert await caller.exchange(b"before") == b"before"

    lkps.routing_version = 2
    await eventually(lambda: lkps.renewals[-1]["routing_version"] == 2)
    late = await livekit.create_room("echo", old_secret)
    fresh = await livekit.create_room("echo", lkps.routing_secret())
    await eventually(lambda: livekit.agents_in(fresh))

    assert await livekit.jobs_of(late) == 0
    assert await caller.exchange(b"after") == b"after"
    assert await livekit.agents_in(room) == before
    assert agent.output.count('"registered worker"') == 2


async def test_an_agent_whose_lease_is_over_registers_again_and_stays_connected(
    agents: AgentLauncher, lkps: LkpsDouble, tap: Tap
) -> None:
    lkps.renew_after = 1
    agent = await agents.bare()
    await agent.is_connected()

    lkps.live.clear()
    await eventually(lambda: len(lkps.registrations) == 2)
    await eventually(lambda: lkps.renewals)

    assert len(tap.workers) == 1


async def test_an_agent_outlives_an_absence_of_lkps_and_takes_jobs_meanwhile(
    agents: AgentLauncher, lkps: LkpsDouble, livekit: LiveKit
) -> None:
    lkps.renew_after = 1
    agent = await agents.echo()
    await agent.is_connected()

    lkps.refusal = Refusal(503, headers={"Retry-After": "1"})
    await agent.says("the agent stays connected")
    room = await livekit.create_room("echo", lkps.routing_secret())
    await eventually(lambda: livekit.agents_in(room))
    lkps.refusal = None

    await agent.says("renewed again")
    assert agent.output.count("the agent stays connected") == 1
    assert len(lkps.registrations) == 1


async def test_an_agent_waits_for_an_lkps_that_is_not_there_yet(
    agents: AgentLauncher, lkps: LkpsDouble
) -> None:
    lkps.refusal = Refusal(502, html=True)
    agent = await agents.bare()
    await agent.says("not registered yet")

    lkps.refusal = None

    await agent.is_connected()


async def test_an_agent_that_is_told_to_end_deregisters_and_finishes_its_job_first(
    agents: AgentLauncher, lkps: LkpsDouble, livekit: LiveKit, caller: Caller
) -> None:
    agent = await agents.echo()
    await agent.is_connected()
    (registration_id,) = lkps.live
    room = await livekit.create_room("echo", lkps.routing_secret())
    await eventually(lambda: livekit.agents_in(room))
    await caller.join(livekit.url, livekit.participant_token(room, "someone"))

    agent.tell_to_end()
    await eventually(lambda: lkps.ended == [registration_id])
    assert await caller.exchange(b"still here") == b"still here"
    await livekit.delete_room(room)

    assert await agent.ended() == 0
    assert lkps.ended == [registration_id]


async def test_an_agent_ends_although_lkps_hangs(agents: AgentLauncher, lkps: LkpsDouble) -> None:
    agent = await agents.bare()
    await agent.is_connected()
    lkps.refusal = Refusal(None)

    assert await agent.stop() == 0

    assert "not deregistered" in agent.output


async def test_an_agent_that_lkps_refuses_ends_with_one_line_that_says_what_to_do(
    agents: AgentLauncher, lkps: LkpsDouble
) -> None:
    lkps.refusal = Refusal(403, "agent_not_runnable", "this agent is somebody else's")
    agent = await agents.bare()

    assert await agent.ended() == 1

    (line,) = [line for line in agent.output.splitlines() if "refused" in line]
    assert line.startswith("lkps: LKPS refused: this agent is somebody else's (403 agent_not_")
    assert lkps.request_ids[0] in line
    assert line.endswith("to be a runner of this agent")
    assert "Traceback" not in agent.output


async def test_an_agent_with_a_wrong_client_secret_ends_with_what_entra_says(
    agents: AgentLauncher,
) -> None:
    agent = await agents.bare(AZURE_CLIENT_SECRET="not-the-secret")

    assert await agent.ended() == 1

    assert "the client secret is wrong. Look it up, and set AZURE_CLIENT_SECRET" in agent.output
    assert "not-the-secret" not in agent.output
    assert "Traceback" not in agent.output


async def test_an_agent_does_not_start_beside_a_livekit_key(agents: AgentLauncher) -> None:
    agent = await agents.bare(LIVEKIT_API_KEY="devkey", LIVEKIT_API_SECRET="something")

    assert await agent.ended() == 1

    line = "lkps: an agent of LKPS holds no LiveKit key: delete LIVEKIT_API_KEY, LIVEKIT_API_SECRET"
    assert line in agent.output
    assert "something" not in agent.output
