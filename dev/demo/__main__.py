"""`make demo`: the whole path on real parts, step by step, and everything put away afterwards."""

import asyncio
import logging
import sys
from collections.abc import Mapping
from typing import Any

import aiohttp

from dev.demo import proof, trail
from dev.demo.agent import HAS_ACCESS_TOKEN, IS_CONNECTED, IS_REGISTERED, NAME, EchoAgent
from dev.demo.caller import Caller
from dev.demo.steps import Steps
from dev.platform import Platform, running
from dev.platform.conditions import holds_within
from dev.platform.interrupts import run

HERTZ = 440
PATIENCE_SECONDS = 30


async def demo() -> None:
    steps = Steps()
    with steps.step("platform", "starts") as step:
        stack = running(timers=True)
        platform = await stack.__aenter__()
        step.result = f"LKPS {platform.lkps_url}  LiveKit {platform.livekit_url}"
    try:
        agent = EchoAgent(platform)
        try:
            await bring_agent_online(steps, platform, agent)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await hold_session(steps, platform, agent)
        finally:
            with steps.step("agent", "is stopped, and deregisters"):
                await agent.dispose()
        await show_trail(steps, platform)
    finally:
        with steps.step("platform", "stops"):
            await stack.__aexit__(*sys.exc_info())


async def bring_agent_online(steps: Steps, platform: Platform, agent: EchoAgent) -> None:
    with steps.step("agent", "starts, a process of its own") as step:
        agent.launch()
        keys = [name for name in agent.environment if name.startswith("LIVEKIT")]
        step.result = f"pid {agent.pid}, LIVEKIT_* variables in its environment: {len(keys)}"
    with steps.step("agent", "gets an Entra access token") as step:
        await agent.until_it_says(HAS_ACCESS_TOKEN)
        step.result = f"application {platform.identities['agent'].client_id}"
    with steps.step("agent", "registers with LKPS") as step:
        await agent.until_it_says(IS_REGISTERED)
        registered = await recorded(platform, "agent.registered")
        step.result = f"{registered['registration_id']}, by Entra token {registered['uti']}"
    with steps.step("agent", "its worker is connected") as step:
        await agent.until_it_says(IS_CONNECTED)
        step.result = platform.livekit_url


async def recorded(platform: Platform, action: str) -> Mapping[str, Any]:
    """The first row of that action."""
    rows = await trail.rows(platform.settings["LKPS_TABLES_CONNECTION_STRING"])
    return next(row for row in rows if row["action"] == action)


async def hold_session(steps: Steps, platform: Platform, agent: EchoAgent) -> None:
    with steps.step("client", "gets an Entra access token") as step:
        access_token = await platform.access_token("client")
        step.result = f"application {platform.identities['client'].client_id}"
    headers = {"Authorization": f"Bearer {access_token}"}
    async with aiohttp.ClientSession(f"{platform.lkps_url}/api/", headers=headers) as lkps:
        with steps.step("client", "POST /api/session/start") as step:
            session = await answered(lkps, "POST", "session/start", {"agent_name": NAME})
            step.result = session["room_name"]
        caller = Caller()
        try:
            await talk(steps, caller, session, lkps)
            await lose_agent(steps, caller, session, lkps, agent)
            with steps.step("client", "POST /api/session/…/end"):
                await answered(lkps, "POST", f"session/{session['session_id']}/end")
            with steps.step("client", "is disconnected: the room is gone"):
                await caller.disconnected.wait()
        finally:
            await caller.leave()


async def talk(
    steps: Steps, caller: Caller, session: Mapping[str, Any], lkps: aiohttp.ClientSession
) -> None:
    path = f"session/{session['session_id']}"
    with steps.step("client", "joins the room") as step:
        await caller.join(session["livekit_url"], session["participant_token"])
        step.result = session["participant_identity"]
    with steps.step("client", "the agent is there") as step:
        await holds_within(PATIENCE_SECONDS, lambda: is_joined(lkps, path))
        step.result = f"GET /api/{path}: joined"
    with steps.step("client", "data there and back") as step:
        step.result = repr((await caller.exchange(b"hello, agent")).decode())
    with steps.step("client", "audio there and back") as step:
        await caller.speak(HERTZ)
        step.result = f"{HERTZ} Hz sent, {await caller.loudest_frequency():.0f} Hz heard"


async def lose_agent(
    steps: Steps,
    caller: Caller,
    session: Mapping[str, Any],
    lkps: aiohttp.ClientSession,
    agent: EchoAgent,
) -> None:
    """In the middle of the conversation."""
    path = f"session/{session['session_id']}"
    with steps.step("agent", "its job's process is killed") as step:
        step.result = f"pid {agent.kill_job()}"
    with steps.step("client", "another agent is there") as step:
        await holds_within(PATIENCE_SECONDS, lambda: is_replaced(lkps, path))
        step.result = f"GET /api/{path}: joined, dispatched twice, one failed"
    with steps.step("client", "data there and back") as step:
        step.result = repr((await caller.exchange(b"are you new here?")).decode())


async def is_replaced(lkps: aiohttp.ClientSession, path: str) -> bool:
    seen = await answered(lkps, "GET", path)
    told = (seen["agent_status"], seen["agent_dispatches"], seen.get("agent_outcome"))
    return told == ("joined", 2, "failed")


async def is_joined(lkps: aiohttp.ClientSession, path: str) -> bool:
    seen = await answered(lkps, "GET", path)
    return bool(seen["agent_status"] == "joined")


async def answered(
    lkps: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> dict[str, Any]:
    async with lkps.request(method, path, json=body) as response:
        answer: dict[str, Any] = await response.json()
        if response.status != 200:
            raise RuntimeError(f"{path} was answered {response.status}: {answer}")
        return answer


async def show_trail(steps: Steps, platform: Platform) -> None:
    with steps.step("auditor", "reads the trail") as step:
        rows = await trail.rows(platform.settings["LKPS_TABLES_CONNECTION_STRING"])
        step.result = f"{len(rows)} rows"
    for line in trail.lines(rows):
        print(f"{'':21}  {line}")
    with steps.step("timer", "signs a checkpoint"):
        await platform.service.fire("checkpoint")
    with steps.step("auditor", "exports the trail and verifies") as step:
        result = await proof.verified(platform)
        step.result = f"{result.rows} rows as they were signed, 0 findings"


if __name__ == "__main__":
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # it warns of every room that ends
    sys.exit(run(demo()))
