"""What a decision is made of: how it is read, for how long it is remembered, what it costs."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from lkps_core.adapters.memory import MemoryRows
from lkps_core.agents.model import Agent
from lkps_core.errors import StorageUnavailable
from lkps_core.freshness import OLDEST, REFRESH_AFTER
from lkps_core.identity.principal import Principal
from lkps_core.policy.evidence import Evidence, grants_of
from lkps_core.policy.model import Blocks, Grant, PlatformLimits
from lkps_core.ranges import every
from tests.builders.conditions import until
from tests.builders.lkps import guid
from tests.builders.stepping import SteppingRows
from tests.builders.tokens import NOW, TENANT
from tests.unit.policy.parts.authority import Authority, put, take
from tests.unit.policy.parts.policies import (
    AGENT_NAME,
    AGENT_SUBJECT,
    ALICE,
    APPLICATION,
    APPLICATION_SUBJECT,
    AZP,
    CLOSED,
    GRANTED,
    OPEN,
    OTHER_AZP,
    OTHER_TENANT,
    grant,
    revocation,
)

OTHER_APPLICATION = replace(APPLICATION, azp=OTHER_AZP)
ONCE = {"agents": 1, "registrations": 1, "grants": 1, "revocations": 1, "limits": 1, "sessions": 0}


@pytest.fixture
async def authority() -> Authority:
    """With an agent that is granted to the client application and online."""
    authority = Authority()
    await authority.assign()
    await authority.grants.add(grant())
    await authority.go_online()
    return authority


@pytest.fixture
async def warm(authority: Authority) -> Authority:
    """Everything has just been read."""
    await authority.now()
    return authority


async def cost(authority: Authority, caller: Principal, agent_name: str) -> dict[str, int]:
    """Calls by table of a reading as the tables are."""
    before = authority.calls
    await authority.now(caller, agent_name)
    return {name: calls - before[name] for name, calls in authority.calls.items()}


async def refreshed(table: MemoryRows[Any], calls: int = 1) -> None:
    """Return when the background has read that table so many times more."""
    before = len(table.calls)
    await until(lambda: len(table.calls) >= before + calls)
    for _ in range(3):
        await asyncio.sleep(0)


# Reading the tables as they are.


async def test_a_reading_has_all_that_a_decision_needs(authority: Authority) -> None:
    await authority.revocations.add(revocation(AGENT_SUBJECT))
    await authority.limits.add(PlatformLimits(max_sessions_per_agent=7))
    evidence = await authority.now()
    assert evidence.agent == GRANTED
    assert evidence.grants == (grant(),)
    assert evidence.blocks.blocks(AGENT_SUBJECT, NOW)
    assert evidence.limits == PlatformLimits(max_sessions_per_agent=7)
    assert evidence.began == authority.clock.monotonic()
    assert evidence.online is not None
    assert [one.agent_name for one in await evidence.online] == [AGENT_NAME]


async def test_a_reading_of_what_is_not_there_has_nothing_and_the_default_limits() -> None:
    evidence = await Authority().now()
    assert (evidence.agent, evidence.grants) == (None, ())
    assert evidence.online is not None
    assert await evidence.online == []
    assert evidence.limits == PlatformLimits()
    assert not evidence.blocks.blocks(AGENT_SUBJECT, NOW)


@pytest.mark.parametrize("agent", [OPEN, GRANTED, CLOSED], ids=lambda agent: agent.access_mode)
@pytest.mark.parametrize("caller", [APPLICATION, OTHER_APPLICATION, ALICE])
async def test_a_reading_costs_one_call_to_each_table_whatever_it_finds(
    authority: Authority, agent: Agent, caller: Principal
) -> None:
    await authority.assign(agent)
    for name in (AGENT_NAME, AGENT_NAME, "nobody"):
        assert await cost(authority, caller, name) == ONCE


async def test_a_reading_is_one_round_trip(authority: Authority) -> None:
    agents = SteppingRows(authority.agents)
    stop = agents.steps.stop("get", "before")
    authority = replace(authority, agents=agents)
    before = authority.calls
    reading = asyncio.create_task(authority.now())
    await stop.reached.wait()
    await until(lambda: authority.calls["registrations"] > before["registrations"])
    started = {name: calls - before[name] for name, calls in authority.calls.items()}
    assert started == {**ONCE, "agents": 0}
    stop.release()
    assert (await reading).agent == GRANTED


async def test_one_application_s_grants_are_read_and_nobody_else_s(authority: Authority) -> None:
    neighbours = [
        grant(client_app_id=AZP[:-1] + character)
        for character in "0123456789abcdef"
        if character != AZP[-1]
    ]
    others = [
        *neighbours,
        grant(client_app_id=OTHER_AZP),
        grant(tid=OTHER_TENANT),
        grant(agent_name="pharmacist"),
    ]
    for one in others:
        await authority.grants.add(one)
    await authority.grants.add(grant("any_user"))
    found = await grants_of(authority.grants, AGENT_NAME, TENANT, AZP)
    assert found == sorted([grant(), grant("any_user")], key=lambda one: one.id)


@pytest.mark.parametrize(("rows", "pages"), [(0, 1), (999, 1), (1000, 2), (1001, 2), (2500, 3)])
async def test_all_rows_of_a_range_are_read_however_many(rows: int, pages: int) -> None:
    table = MemoryRows[Grant]()
    for number in range(rows):
        await table.add(grant("group", f"{number}"))
    await table.add(grant(client_app_id=OTHER_AZP))
    before = len(table.calls)
    found = await grants_of(table, AGENT_NAME, TENANT, AZP)
    assert len({one.id for one in found}) == len(found) == rows
    assert table.calls[before:] == ["page"] * pages


async def test_of_ten_thousand_grants_an_application_reads_its_own_in_one_page() -> None:
    table = MemoryRows[Grant]()
    for number in range(10_000):
        await table.add(grant(client_app_id=guid(f"app {number}")))
    await table.add(grant())
    before = len(table.calls)
    assert await grants_of(table, AGENT_NAME, TENANT, AZP) == [grant()]
    assert table.calls[before:] == ["page"]


async def test_every_row_of_a_partition_is_found_with_its_etag(authority: Authority) -> None:
    (stored,) = await every(authority.grants, AGENT_NAME)
    assert stored == await authority.grants.get(AGENT_NAME, grant().id)


# What is remembered.


async def test_at_first_nothing_is_remembered(authority: Authority) -> None:
    assert authority.remembered() is None


async def test_what_was_read_is_remembered_and_asks_nothing(warm: Authority) -> None:
    before = warm.calls
    evidence = warm.remembered()
    assert evidence is not None
    assert (evidence.agent, evidence.grants, evidence.online) == (GRANTED, (grant(),), None)
    assert warm.calls == before


async def test_an_agent_that_is_not_there_is_not_remembered(warm: Authority) -> None:
    await warm.now(agent_name="nobody")
    assert warm.remembered(agent_name="nobody") is None


async def test_of_a_granted_agent_each_applications_grants_are_remembered_apart(
    warm: Authority,
) -> None:
    assert warm.remembered(OTHER_APPLICATION) is None
    assert warm.remembered(replace(APPLICATION, tid=OTHER_TENANT)) is None
    evidence = warm.remembered(ALICE)
    assert evidence is not None
    assert evidence.grants == (grant(),)


async def test_that_an_application_has_no_grant_is_remembered_too(warm: Authority) -> None:
    await warm.now(OTHER_APPLICATION)
    evidence = warm.remembered(OTHER_APPLICATION)
    assert evidence is not None
    assert evidence.grants == ()


@pytest.mark.parametrize("agent", [OPEN, CLOSED], ids=["open", "closed"])
async def test_of_an_agent_that_asks_for_no_grant_none_need_be_remembered(
    authority: Authority, agent: Agent
) -> None:
    await authority.assign(agent)
    await authority.now()
    evidence = authority.remembered(OTHER_APPLICATION)
    assert evidence is not None
    assert (evidence.agent, evidence.grants) == (agent, ())


async def test_it_is_remembered_for_5_s_from_the_start_of_the_reading(
    authority: Authority,
) -> None:
    agents = SteppingRows(authority.agents)
    authority = replace(authority, agents=agents)

    async def three_seconds_pass() -> None:
        authority.clock.pass_by(3)

    agents.steps.once("get", "before", three_seconds_pass)
    began = authority.clock.monotonic()
    assert (await authority.now()).began == began
    authority.clock.pass_by(OLDEST - 3 - 0.1)
    evidence = authority.remembered()
    assert evidence is not None
    assert evidence.began == began
    assert not authority.evidences.is_too_old(evidence.began)
    authority.clock.pass_by(0.1)
    assert authority.evidences.is_too_old(evidence.began)
    assert authority.remembered() is None


async def test_it_is_as_old_as_the_oldest_of_what_it_is_made_of(warm: Authority) -> None:
    began = warm.clock.monotonic()
    warm.clock.pass_by(1)
    await warm.evidences.blocks_now()
    warm.clock.pass_by(1)
    await warm.directory.agent_now(AGENT_NAME)
    evidence = warm.remembered()
    assert evidence is not None
    assert evidence.began == began


async def test_of_an_open_agent_it_is_as_old_as_what_counts(authority: Authority) -> None:
    await authority.assign(OPEN)
    await authority.now()
    authority.clock.pass_by(1)
    await authority.evidences.blocks_now()
    evidence = authority.remembered()
    assert evidence is not None
    assert evidence.began == authority.clock.monotonic() - 1


async def test_what_is_in_use_is_read_anew_in_the_background(warm: Authority) -> None:
    await take(warm.grants, grant())
    await warm.assign(replace(GRANTED, contact="somebody"))
    await warm.revocations.add(revocation(APPLICATION_SUBJECT))
    await warm.limits.add(PlatformLimits(max_sessions_per_agent=7))
    warm.clock.pass_by(REFRESH_AFTER)
    before = warm.calls
    assert (warm.used().grants, warm.calls) == ((grant(),), before)
    await refreshed(warm.limits)
    warm.clock.pass_by(OLDEST - 0.1)
    evidence = warm.remembered()
    assert evidence is not None
    assert evidence.agent == replace(GRANTED, contact="somebody")
    assert evidence.grants == ()
    assert evidence.blocks.blocks(APPLICATION_SUBJECT, NOW)
    assert evidence.limits.max_sessions_per_agent == 7


async def test_what_nobody_goes_ahead_on_is_not_read_anew(warm: Authority) -> None:
    before = warm.calls
    warm.clock.pass_by(REFRESH_AFTER)
    assert warm.remembered() is not None
    await asyncio.sleep(0)
    assert warm.calls == before


async def test_of_an_agent_that_is_not_there_nothing_is_kept(warm: Authority) -> None:
    evidence = await warm.now(agent_name="nobody")
    warm.clock.pass_by(REFRESH_AFTER)
    before = warm.calls
    warm.evidences.keep(APPLICATION, evidence)
    for _ in range(10):
        await asyncio.sleep(0)
    assert warm.calls == before


async def test_what_is_not_in_use_is_not_read_anew(warm: Authority) -> None:
    before = warm.calls
    warm.clock.pass_by(3600)
    await asyncio.sleep(0)
    assert warm.calls == before


@pytest.mark.parametrize("table", ["agents", "grants", "revocations", "limits"])
async def test_without_a_table_what_is_remembered_serves_until_it_is_5_s_old(
    warm: Authority, table: str
) -> None:
    warm.tables[table].down = True
    warm.clock.pass_by(OLDEST - 0.1)
    assert warm.remembered() is not None
    warm.clock.pass_by(0.1)
    assert warm.remembered() is None
    with pytest.raises(StorageUnavailable):
        await warm.now()


@pytest.mark.parametrize("table", ["agents", "grants", "revocations", "limits"])
async def test_without_a_table_nothing_is_read(authority: Authority, table: str) -> None:
    authority.tables[table].down = True
    with pytest.raises(StorageUnavailable):
        await authority.now()


# What this process changes it sees at once.


async def test_a_change_of_grants_is_seen_at_once_where_it_was_made(warm: Authority) -> None:
    await take(warm.grants, grant())
    warm.evidences.forget_grants(grant())
    assert warm.remembered() is None
    assert (await warm.now()).grants == ()


async def test_a_change_of_blocks_is_seen_at_once_where_it_was_made(warm: Authority) -> None:
    assert not (await warm.evidences.blocks()).blocks(AGENT_SUBJECT, NOW)
    await warm.revocations.add(revocation(AGENT_SUBJECT))
    assert not (await warm.evidences.blocks()).blocks(AGENT_SUBJECT, NOW)
    warm.evidences.forget_blocks()
    assert warm.remembered() is None
    assert (await warm.evidences.blocks()).blocks(AGENT_SUBJECT, NOW)


async def test_blocks_can_be_read_as_they_are(warm: Authority) -> None:
    await warm.revocations.add(revocation(AGENT_SUBJECT))
    assert (await warm.evidences.blocks_now()).blocks(AGENT_SUBJECT, NOW)


async def test_a_change_of_limits_is_known_at_once_where_it_was_made(warm: Authority) -> None:
    limits = PlatformLimits(max_sessions_per_agent=7)
    warm.evidences.know_limits(limits)
    evidence = warm.remembered()
    assert evidence is not None
    assert (evidence.limits, warm.evidences.last_limits()) == (limits, limits)


# The limits by which starts are admitted before anything is read.


async def test_the_last_limits_are_the_defaults_until_some_are_read(authority: Authority) -> None:
    limits = PlatformLimits(starts_per_minute_per_user=5)
    await authority.limits.add(limits)
    assert authority.evidences.last_limits() == PlatformLimits()
    await authority.now()
    assert authority.evidences.last_limits() == limits


async def test_the_last_limits_follow_what_is_remembered(warm: Authority) -> None:
    limits = PlatformLimits(starts_per_minute_per_user=5)
    await put(warm.limits, limits)
    warm.clock.pass_by(REFRESH_AFTER)
    warm.used()
    assert warm.evidences.last_limits() == PlatformLimits()
    await refreshed(warm.limits)
    warm.remembered()
    assert warm.evidences.last_limits() == limits


# Whether sessions must be counted.


def evidence(
    agent: Agent | None = GRANTED, *grants: Grant, limits: PlatformLimits | None = None
) -> Evidence:
    return Evidence(agent, grants, Blocks(), limits or PlatformLimits(), began=0.0)


@pytest.mark.parametrize(
    ("of_what", "counts"),
    [
        (evidence(), False),
        (evidence(None), False),
        (evidence(GRANTED, grant(max_session_seconds=60)), False),
        (evidence(replace(GRANTED, max_session_seconds=60)), False),
        (evidence(limits=PlatformLimits(max_session_seconds=60)), False),
        (evidence(replace(GRANTED, max_sessions=1)), True),
        (evidence(replace(OPEN, max_sessions=1)), True),
        (evidence(replace(GRANTED, max_sessions=1, report_only=True)), True),
        (evidence(GRANTED, grant(), grant("any_user", max_sessions=1)), True),
        (evidence(GRANTED, grant(max_sessions=1, report_only=True)), True),
        (evidence(limits=PlatformLimits(max_sessions_per_agent=1)), True),
        (evidence(None, limits=PlatformLimits(max_sessions_per_agent=1)), True),
    ],
)
def test_sessions_are_counted_where_a_limit_needs_it(of_what: Evidence, counts: bool) -> None:
    assert of_what.counts_sessions is counts
