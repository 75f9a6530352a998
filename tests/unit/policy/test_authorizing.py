"""Authorizing: what allows may be 5 s old, what refuses is decided on the tables as they are."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from lkps_core.adapters.memory import MemoryRegistrations, MemorySessions
from lkps_core.agents.model import Agent
from lkps_core.errors import (
    AgentNotCallable,
    CallerBlocked,
    GroupsOverage,
    Refusal,
    SessionEnded,
    StorageUnavailable,
    TooManySessions,
)
from lkps_core.freshness import OLDEST, REFRESH_AFTER
from lkps_core.identity.principal import Principal
from lkps_core.policy.authorizing import LIMITS, Asked, refusal
from lkps_core.policy.decision import Rule
from lkps_core.policy.model import PlatformLimits
from lkps_core.policy.usage import AGAIN_AFTER, SETTLED
from lkps_core.ports import Room
from lkps_core.sessions.model import Session
from tests.builders.conditions import until
from tests.builders.stepping import SteppingRows
from tests.builders.tokens import NOW
from tests.unit.policy.parts.authority import Authority, put, registration, take
from tests.unit.policy.parts.policies import (
    AGENT_NAME,
    AGENT_SUBJECT,
    ALICE,
    ALICE_SUBJECT,
    APPLICATION,
    APPLICATION_SUBJECT,
    CLOSED,
    CROWDED,
    GRANTED,
    OPEN,
    OTHER_AZP,
    SALES,
    SESSION_ID,
    SESSION_SUBJECT,
    grant,
    revocation,
)
from tests.unit.policy.parts.stepping import SteppingLiveRegistrations, SteppingOpenSessions

STRANGER = replace(APPLICATION, azp=OTHER_AZP)
JUST_BEFORE = OLDEST - 0.1


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
    """The application has just been let in."""
    assert await authority.answer() == "granted"
    return authority


def session(number: int, authority: Authority, **changes: object) -> Session:
    made = Session(
        id=f"{AGENT_NAME}--{number}",
        agent_name=AGENT_NAME,
        starter=APPLICATION.id,
        azp=APPLICATION.azp,
        room_name=f"test--{AGENT_NAME}--{number}",
        participant_identity="somebody",
        body_sha256="0",
        attempt="first",
        created_at=authority.clock(),
        ends_at=authority.clock() + timedelta(hours=4),
        token_until=authority.clock() + timedelta(minutes=5),
        grant_id=grant().id,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def whatever_is_in_the_background() -> None:
    """Memory adapters never wait: a refresh is over in a few turns of the loop."""
    for _ in range(10):
        await asyncio.sleep(0)


# From memory.


async def test_whoever_was_let_in_is_let_in_again_without_a_call(warm: Authority) -> None:
    before = warm.calls
    authorized = await warm.authorize()
    assert (authorized.agent, authorized.decision.grant) == (GRANTED, grant())
    assert [one.agent_name for one in authorized.online] == [AGENT_NAME]
    assert warm.calls == before


async def test_the_first_start_costs_one_reading_of_each_table(authority: Authority) -> None:
    before = authority.calls
    await authority.authorize()
    spent = {name: calls - before[name] for name, calls in authority.calls.items()}
    assert spent == {
        "agents": 1,
        "registrations": 1,
        "grants": 1,
        "revocations": 1,
        "limits": 1,
        "sessions": 0,
    }


async def test_memory_serves_as_long_as_it_is_in_use_and_the_tables_answer(
    warm: Authority,
) -> None:
    """What is in use is refreshed off the path: no start waits for a table."""
    for _ in range(20):
        warm.clock.pass_by(REFRESH_AFTER)
        before = warm.calls
        authorized = asyncio.create_task(warm.authorize())
        await asyncio.sleep(0)
        assert authorized.done()
        assert authorized.result().decision.rule == "granted"
        await until(lambda before=before: warm.calls["limits"] > before["limits"])  # type: ignore[misc]
        await asyncio.sleep(0)


@pytest.mark.parametrize("seconds", [0.0, JUST_BEFORE])
async def test_a_removed_grant_may_be_remembered_and_is_refused_after_5_s(
    warm: Authority, seconds: float
) -> None:
    await take(warm.grants, grant())
    warm.clock.pass_by(seconds)
    assert await warm.answer() == "granted"
    warm.clock.pass_by(OLDEST - seconds)
    assert await warm.answer() == "no_grant"


async def test_a_grant_that_reaches_its_instant_is_refused_at_it_though_it_is_remembered(
    authority: Authority,
) -> None:
    await put(authority.grants, grant(expires_at=authority.clock() + timedelta(seconds=2)))
    assert await authority.answer() == "granted"
    authority.clock.pass_by(1.9)
    assert await authority.answer() == "granted"
    authority.clock.pass_by(0.1)
    assert await authority.answer() == "grant_expired"


@pytest.mark.parametrize(
    ("subject", "rule"),
    [
        (AGENT_SUBJECT, "agent_blocked"),
        (APPLICATION_SUBJECT, "application_blocked"),
        (ALICE_SUBJECT, "user_blocked"),
        (SESSION_SUBJECT, "session_blocked"),
    ],
)
async def test_a_block_by_another_process_refuses_within_5_s(
    authority: Authority, subject: str, rule: Rule
) -> None:
    await authority.grants.add(grant("any_user"))
    assert await authority.answer(ALICE, session_id=SESSION_ID) == "granted"
    await authority.revocations.add(revocation(subject))
    authority.clock.pass_by(OLDEST)
    assert await authority.answer(ALICE, session_id=SESSION_ID) == rule


async def test_a_block_by_this_process_refuses_at_once(warm: Authority) -> None:
    await warm.revocations.add(revocation(AGENT_SUBJECT))
    warm.evidences.forget_blocks()
    assert await warm.answer() == "agent_blocked"


async def test_a_block_refuses_until_its_instant(warm: Authority) -> None:
    until_then = warm.clock() + timedelta(seconds=10)
    await warm.revocations.add(revocation(AGENT_SUBJECT, until_then))
    warm.evidences.forget_blocks()
    warm.clock.pass_by(9.9)
    assert await warm.answer() == "agent_blocked"
    warm.clock.pass_by(0.1)
    assert await warm.answer() == "granted"


# What refuses is decided on the tables as they are.


async def test_a_grant_made_elsewhere_counts_at_once_for_whoever_was_refused(
    warm: Authority,
) -> None:
    assert await warm.answer(STRANGER) == "no_grant"
    await warm.grants.add(grant(client_app_id=OTHER_AZP))
    assert await warm.answer(STRANGER) == "granted"


async def test_an_agent_opened_elsewhere_counts_at_once_for_whoever_was_refused(
    warm: Authority,
) -> None:
    await warm.assign(CLOSED)
    warm.directory.forget_agent(AGENT_NAME)
    assert await warm.answer(STRANGER) == "agent_closed"
    await warm.assign(OPEN)
    assert await warm.answer(STRANGER) == "open"


async def test_an_agent_that_was_unknown_is_known_at_once() -> None:
    authority = Authority()
    assert await authority.answer() == "agent_unknown"
    await authority.assign(OPEN)
    assert await authority.answer() == "open"


async def test_a_block_lifted_elsewhere_is_none_at_once_for_whoever_was_refused(
    authority: Authority,
) -> None:
    await authority.revocations.add(revocation(APPLICATION_SUBJECT))
    assert await authority.answer() == "application_blocked"
    await take(authority.revocations, revocation(APPLICATION_SUBJECT))
    assert await authority.answer() == "granted"


@pytest.mark.parametrize("seconds", [0.0, REFRESH_AFTER, JUST_BEFORE, OLDEST])
async def test_unknown_closed_ungranted_and_blocked_agents_cost_a_stranger_the_same_calls(
    authority: Authority, seconds: float
) -> None:
    """Whether others use the agent or not: nothing that is remembered of it costs one more."""
    await authority.assign(replace(CLOSED, name="closed"))
    await authority.assign(replace(OPEN, name="blocked"))
    await authority.revocations.add(revocation("agent:blocked"))
    spent = []
    for name in ("nobody", "closed", AGENT_NAME, "blocked") * 2:
        assert await authority.answer() == "granted"
        await whatever_is_in_the_background()
        authority.clock.pass_by(seconds)
        before = authority.calls
        assert await authority.answer(STRANGER, name) != "open"
        await whatever_is_in_the_background()
        spent.append([calls - before[table] for table, calls in authority.calls.items()])
    assert spent == [spent[0]] * 8


# When a table is down.


def limited(agent: Agent) -> Agent:
    return replace(agent, max_sessions=9)


@pytest.mark.parametrize("agent", [GRANTED, OPEN, limited(GRANTED), limited(OPEN)])
@pytest.mark.parametrize(
    "table", ["agents", "grants", "revocations", "limits", "registrations", "sessions"]
)
async def test_without_a_table_decisions_go_on_for_5_s_and_then_there_are_none(
    authority: Authority, table: str, agent: Agent
) -> None:
    await authority.assign(agent)
    rule = await authority.answer()
    assert rule == agent.access_mode
    authority.tables[table].down = True
    authority.clock.pass_by(JUST_BEFORE)
    assert await authority.answer() == rule
    authority.clock.pass_by(0.1)
    if table == "sessions" and agent.max_sessions is None:
        assert await authority.answer() == rule  # nothing is counted: it is not asked
        return
    with pytest.raises(StorageUnavailable):
        await authority.authorize()
    authority.tables[table].down = False
    assert await authority.answer() == rule


async def test_how_many_instances_there_are_is_not_waited_for_by_a_refusal(
    authority: Authority,
) -> None:
    """How long that takes would tell of the agent."""
    await authority.assign(CLOSED)
    authority.registrations.down = True
    assert await authority.answer() == "agent_closed"
    assert authority.registrations.calls[-1:] == ["live"]


@pytest.mark.parametrize("table", ["agents", "grants", "revocations", "limits"])
@pytest.mark.parametrize("agent", [GRANTED, CLOSED, None], ids=["granted", "closed", "unknown"])
async def test_without_a_table_a_stranger_is_told_neither_yes_nor_no(
    authority: Authority, table: str, agent: Agent | None
) -> None:
    name = agent.name if agent else "nobody"
    if agent:
        await authority.assign(agent)
    assert (await authority.answer(STRANGER, name)).startswith(("agent", "no_grant"))
    authority.tables[table].down = True
    with pytest.raises(StorageUnavailable):
        await authority.authorize(STRANGER, name)


@pytest.mark.parametrize("table", ["agents", "grants", "revocations", "limits", "registrations"])
async def test_without_a_table_a_process_that_knows_nothing_decides_nothing(
    authority: Authority, table: str
) -> None:
    authority.tables[table].down = True
    with pytest.raises(StorageUnavailable):
        await authority.authorize()


async def test_a_refresh_that_fails_does_not_prolong_what_is_remembered(warm: Authority) -> None:
    warm.grants.down = True
    for _ in range(2):
        warm.clock.pass_by(2.4)
        assert await warm.answer() == "granted"
        await asyncio.sleep(0)
    warm.clock.pass_by(0.2)
    with pytest.raises(StorageUnavailable):
        await warm.authorize()


# When reading takes long.


@pytest.mark.parametrize(("seconds", "in_time"), [(JUST_BEFORE, True), (OLDEST, False)])
async def test_evidence_that_took_5_s_to_read_allows_nothing(
    authority: Authority, seconds: float, in_time: bool
) -> None:
    agents = SteppingRows(authority.agents)
    authority = replace(authority, agents=agents)

    async def time_passes() -> None:
        authority.clock.pass_by(seconds)

    agents.steps.once("get", "after", time_passes)
    if in_time:
        assert await authority.answer() == "granted"
        return
    with pytest.raises(StorageUnavailable) as refused:
        await authority.authorize()
    assert refused.value.reason == "the decision's rows took too long to read"
    assert await authority.answer() == "granted"


async def test_evidence_that_took_5_s_to_read_refuses_all_the_same(authority: Authority) -> None:
    agents = SteppingRows(authority.agents)
    authority = replace(authority, agents=agents)

    async def time_passes() -> None:
        authority.clock.pass_by(OLDEST)

    agents.steps.once("get", "after", time_passes)
    assert await authority.answer(STRANGER) == "no_grant"


async def test_evidence_that_grew_too_old_while_instances_were_read_is_read_anew(
    authority: Authority,
) -> None:
    """No instance is online: that is never remembered, and each start looks for one."""
    registrations = SteppingLiveRegistrations(MemoryRegistrations())
    authority = replace(authority, registrations=registrations)
    assert await authority.answer() == "granted"
    await take(authority.grants, grant())

    async def time_passes() -> None:
        authority.clock.pass_by(OLDEST)

    registrations.steps.once("live", "after", time_passes)
    assert await authority.answer() == "no_grant"


async def test_evidence_that_grew_too_old_while_sessions_were_counted_allows_nothing(
    authority: Authority,
) -> None:
    sessions = SteppingOpenSessions(MemorySessions())
    authority = replace(authority, sessions=sessions)
    await authority.assign(limited(GRANTED))

    async def time_passes() -> None:
        authority.clock.pass_by(OLDEST)

    sessions.steps.once("live_of", "after", time_passes)
    with pytest.raises(StorageUnavailable):
        await authority.authorize()
    assert await authority.answer() == "granted"


# Limits.


@pytest.fixture
async def few(authority: Authority) -> Authority:
    """With a grant of two sessions at once."""
    await put(authority.grants, grant(max_sessions=2))
    return authority


async def test_a_full_grant_refuses(few: Authority) -> None:
    for number in range(2):
        await few.sessions.add(session(number, few))
    with pytest.raises(TooManySessions) as refused:
        await few.authorize()
    assert refused.value.reason == "grant_sessions_limit"


async def test_of_many_in_one_moment_as_many_are_authorized_as_may_begin(few: Authority) -> None:
    """Nobody suspends between the decision and the beginning that it allows."""

    async def start(number: int) -> bool:
        try:
            authorized = await few.authorize()
        except TooManySessions:
            return False
        assert authorized.is_counted
        few.usage.begin(session(number, few))
        return True

    assert sum(await asyncio.gather(*(start(number) for number in range(50)))) == 2


async def test_a_repeat_is_not_in_its_own_way(few: Authority) -> None:
    for number in range(2):
        await few.sessions.add(session(number, few))
    assert await few.answer(session_id=session(1, few).id) == "granted"
    assert await few.answer(session_id=session(2, few).id) == "grant_sessions_limit"


async def test_a_refusal_by_a_limit_rests_on_the_rows_as_they_are(few: Authority) -> None:
    for number in range(2):
        await few.sessions.add(session(number, few))
    assert await few.answer() == "grant_sessions_limit"
    stored = await few.sessions.get(AGENT_NAME, session(0, few).id)
    assert stored is not None
    await few.sessions.replace(replace(stored.row, state="ended"), stored.etag)
    few.clock.pass_by(AGAIN_AFTER)
    assert await few.answer() == "granted"


async def test_a_refusal_by_a_limit_does_not_count_rooms_that_livekit_has_closed(
    few: Authority,
) -> None:
    for number in range(2):
        one = session(number, few)
        await few.sessions.add(one)
        await few.rooms.create(Room(one.room_name, 360, AGENT_NAME, "deployment", ""))
    few.clock.pass_by(SETTLED.total_seconds())
    assert await few.answer() == "grant_sessions_limit"
    await few.rooms.delete(session(0, few).room_name)
    few.clock.pass_by(AGAIN_AFTER)
    assert await few.answer() == "granted"


async def test_a_limit_raised_elsewhere_counts_at_once_for_whoever_was_refused(
    few: Authority,
) -> None:
    for number in range(2):
        await few.sessions.add(session(number, few))
    assert await few.answer() == "grant_sessions_limit"
    await put(few.grants, grant(max_sessions=3))
    assert await few.answer() == "granted"


async def test_whoever_may_not_call_an_agent_has_no_sessions_counted(few: Authority) -> None:
    await few.assign(limited(GRANTED))
    assert await few.answer(STRANGER) == "no_grant"
    assert few.calls["sessions"] == 0


async def test_the_platforms_limit_counts_for_every_agent(authority: Authority) -> None:
    await authority.assign(OPEN)
    await authority.limits.add(PlatformLimits(max_sessions_per_agent=1))
    assert (await authority.authorize()).is_counted
    await authority.sessions.add(session(0, authority))
    authority.clock.pass_by(OLDEST)
    assert await authority.answer(STRANGER) == "platform_sessions_limit"


async def test_in_report_only_a_full_agent_lets_in_and_says_so(authority: Authority) -> None:
    await authority.assign(replace(GRANTED, max_sessions=1, report_only=True))
    await authority.sessions.add(session(0, authority))
    authorized = await authority.authorize()
    assert (authorized.decision.rule, authorized.decision.would_deny) == (
        "granted",
        "agent_sessions_limit",
    )
    assert authorized.is_counted


async def test_where_no_limit_counts_sessions_none_are_read(warm: Authority) -> None:
    assert not (await warm.authorize()).is_counted
    assert warm.calls["sessions"] == 0


# Which instances are online.


async def test_an_agent_that_is_offline_may_be_called(authority: Authority) -> None:
    offline = replace(authority, registrations=MemoryRegistrations())
    for _ in range(2):
        assert (await offline.authorize()).online in ([], ())


async def test_instances_whose_lease_has_ended_are_not_online(authority: Authority) -> None:
    await put(authority.registrations, registration(AGENT_NAME, authority.clock, seconds=2))
    assert len((await authority.authorize()).online) == 1
    authority.clock.pass_by(2)
    assert list((await authority.authorize()).online) == []


# Assessing: the decision whatever it is.


async def test_an_assessment_is_of_the_tables_as_they_are(warm: Authority) -> None:
    await take(warm.grants, grant())
    assessment = await warm.authorizing.assess(Asked(APPLICATION, AGENT_NAME, warm.clock()))
    assert (assessment.decision.allowed, assessment.decision.rule) == (False, "no_grant")
    assert assessment.evidence.agent == GRANTED


async def test_an_assessment_of_a_full_agent_names_the_limit(few: Authority) -> None:
    for number in range(2):
        await few.sessions.add(session(number, few))
    assessment = await few.authorizing.assess(Asked(APPLICATION, AGENT_NAME, few.clock()))
    assert assessment.decision.rule == "grant_sessions_limit"
    assert len(assessment.online) == 1


# What a refusal says.


REFUSALS: dict[Rule, type[Refusal]] = {
    "application_blocked": CallerBlocked,
    "user_blocked": CallerBlocked,
    "session_blocked": SessionEnded,
    "grant_sessions_limit": TooManySessions,
    "agent_sessions_limit": TooManySessions,
    "platform_sessions_limit": TooManySessions,
}


@pytest.mark.parametrize("rule", get_args(Rule.__value__))
@pytest.mark.parametrize("caller", [APPLICATION, ALICE], ids=["app", "user"])
def test_only_what_the_caller_may_know_is_told_and_the_rule_to_the_trail_alone(
    rule: Rule, caller: Principal
) -> None:
    told = refusal(rule, caller)
    assert type(told) is REFUSALS.get(rule, AgentNotCallable)
    assert told.reason == rule
    assert rule not in told.detail


@pytest.mark.parametrize(
    "rule", ["agent_unknown", "agent_closed", "agent_blocked", "no_grant", "groups_overage"]
)
def test_an_overage_is_told_of_every_agent_alike(rule: Rule) -> None:
    told = refusal(rule, CROWDED)
    assert type(told) is GroupsOverage
    assert told.detail == GroupsOverage().detail
    assert "groups that are assigned to the application" in told.detail


def test_the_rules_of_limits_are_those_that_usage_decides() -> None:
    named = {rule for rule in get_args(Rule.__value__) if rule.endswith("_sessions_limit")}
    assert named == LIMITS


async def test_with_an_overage_a_grant_to_a_group_is_a_clear_refusal(authority: Authority) -> None:
    await authority.grants.add(grant("group", SALES))
    with pytest.raises(GroupsOverage):
        await authority.authorize(CROWDED)


# To which versions of its routing secret an agent may still be dispatched.


@pytest.mark.parametrize(("version", "is_reached"), [(1, False), (2, True), (3, True), (4, False)])
async def test_an_agent_is_reached_by_its_secret_and_while_it_moves_by_the_one_before(
    authority: Authority, version: int, is_reached: bool
) -> None:
    await authority.assign(replace(GRANTED, routing_version=3, previous_routing_version=2))
    reached = authority.authorizing.is_reached_by(AGENT_NAME, version, NOW)
    assert await reached is is_reached


async def test_an_agent_that_is_blocked_or_unknown_is_not_reached(authority: Authority) -> None:
    await authority.assign(GRANTED)
    assert await authority.authorizing.is_reached_by(AGENT_NAME, 1, NOW)
    assert not await authority.authorizing.is_reached_by("nobody", 1, NOW)
    await authority.revocations.add(revocation(AGENT_SUBJECT))
    authority.evidences.forget_blocks()
    assert not await authority.authorizing.is_reached_by(AGENT_NAME, 1, NOW)


async def test_effects_must_not_begin_when_a_block_may_have_come_since(
    authority: Authority,
) -> None:
    await authority.assign(replace(GRANTED, access_mode="open"))
    authorized = await authority.authorize()
    authority.clock.pass_by(OLDEST - 0.1)
    assert not authority.authorizing.is_too_old(authorized)
    authority.clock.pass_by(0.1)
    assert authority.authorizing.is_too_old(authorized)
