"""Refusals on the trail: in the shape of a success, and not without end."""

from collections.abc import AsyncIterator

import pytest_asyncio

from dev.platform import Platform, running
from tests.e2e.parts.crowd import crowd
from tests.e2e.parts.lkps import Lkps
from tests.e2e.parts.tables import Tables

DISTINCT = 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncIterator[Platform]:
    """One of its own: elsewhere sessions of other tests come to their end meanwhile."""
    async with running() as platform:
        yield platform


async def test_a_refusal_has_the_shape_of_a_success(
    lkps: Lkps, tables: Tables, agent_name: str
) -> None:
    await lkps.register(agent_name, "agent")
    refused = await lkps.register(agent_name, "other-agent")

    (success,) = await tables.trail(action="agent.registered", agent_name=agent_name)
    (refusal,) = await tables.trail(action="request.refused", agent_name=agent_name)

    other = lkps.platform.identities["other-agent"]
    assert (refusal["oid"], refusal["azp"]) == (other.object_id, other.client_id)
    assert refusal["request_id"] == refused.headers["X-Request-ID"]
    assert (refusal["reason"], refusal["rule"]) == ("not_a_runner", "agent_not_runnable")
    assert refusal["operation"] == success["operation"] == "agent_register"
    assert refusal.keys() >= success.keys() - {
        "registration_id",
        "routing_version",
        "token_sha256",
        "token_expires_at",
    }


async def test_kinds_of_refusal_are_told_apart_up_to_a_point(lkps: Lkps, tables: Tables) -> None:
    """Otherwise a caller would fill the trail by asking for one agent after the other."""
    before = len(await tables.trail())

    answers = await crowd(
        lambda number: lkps.start(f"unknown-{number}", "other-client"), range(3 * DISTINCT), 16
    )

    assert {(answer.status, answer.code) for answer in answers} == {(403, "agent_not_callable")}
    assert len(await tables.trail()) - before == DISTINCT


async def test_reading_and_asking_leave_no_row(lkps: Lkps, tables: Tables, agent_name: str) -> None:
    await lkps.register(agent_name)
    started = await lkps.start(agent_name)
    before = len(await tables.trail())

    for answer in (
        await lkps.show(started["session_id"]),
        await lkps.call("admin", "GET", f"agents/{agent_name}"),
        await lkps.send("GET", "health/ready"),
        await lkps.send("GET", "openapi.json"),
    ):
        assert answer.status == 200

    assert len(await tables.trail()) == before
