"""What holds of the decision whatever the policy and whoever asks: a thousand random ones each."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lkps_core.identity.principal import Principal
from lkps_core.policy.decision import Decision, Question, Rule, decide
from lkps_core.policy.model import Blocks, Grant, Revocation, Usage
from tests.unit.policy.parts.policies import (
    ALICE,
    ALICE_OID,
    APPLICATION,
    SALES,
    grant,
    question,
)
from tests.unit.policy.parts.random_policies import questions, revocations

thousand = settings(
    max_examples=1000,
    deadline=None,
    derandomize=True,
    suppress_health_check=(HealthCheck.too_slow,),
)

ALLOWING = {"open", "granted", "report_only_grant", "report_only_mode"}
NOT_IN_REPORT_ONLY = {
    "permission_lacking",
    "application_blocked",
    "user_blocked",
    "session_blocked",
    "agent_unknown",
    "agent_blocked",
    "agent_closed",
    "platform_sessions_limit",
}
"""What denies whatever is in report-only."""

ENDLESS = 2**31


def allows_no_more(one: Decision, other: Decision) -> bool:
    """Whether whoever `one` lets in the other lets in as well."""
    return other.allowed or not one.allowed


def longest(decision: Decision) -> int:
    return ENDLESS if decision.longest_seconds is None else decision.longest_seconds


def enforced(asked: Question) -> Question:
    """The same with nothing in report-only."""
    agent = replace(asked.agent, report_only=False) if asked.agent else None
    grants = tuple(replace(one, report_only=False) for one in asked.grants)
    return replace(asked, agent=agent, grants=grants)


def blocked_too(asked: Question, more: Revocation) -> Question:
    there = asked.blocks._by_subject
    assume(more.subject not in there)
    return replace(asked, blocks=Blocks([*there.values(), more]))


@thousand
@given(questions)
def test_deciding_never_raises_and_says_yes_by_a_rule_that_allows(asked: Question) -> None:
    decision = decide(asked)
    assert decision.rule in get_args(Rule.__value__)
    assert decision.allowed == (decision.rule in ALLOWING)
    assert decision.reasons[-1][0] == decision.rule


wild_ids = st.text(max_size=3) | st.sampled_from(("\0", "ALICE", "\uff41"))
wild_numbers = st.none() | st.integers()


@thousand
@given(questions, wild_ids, wild_ids, wild_numbers, wild_numbers, st.sampled_from((0, -1, 1)))
def test_deciding_never_raises_for_rows_that_nobody_should_have_written(
    asked: Question, one: str, other: str, number: int | None, second: int | None, days: int
) -> None:
    agent = asked.agent and replace(
        asked.agent, name=one, max_sessions=number, max_session_seconds=second
    )
    made = grant(
        "group",
        other,
        id=other,
        agent_name=one,
        tid=other,
        client_app_id=one,
        max_sessions=second,
        max_session_seconds=number,
        expires_at=asked.now + timedelta(days=days),
    )
    caller = replace(asked.caller, tid=other, azp=one, oid=one, groups=frozenset((one,)))
    for given_grants in ((*asked.grants, made), (made, replace(made, scope="user"))):
        wild = replace(
            asked, caller=caller, agent=agent, grants=given_grants, session_id=other or None
        )
        decide(wild)
        decide(replace(wild, limits=replace(wild.limits, max_sessions_per_agent=number)))


@thousand
@given(questions)
def test_an_allowed_session_counts_against_a_grant_of_the_caller_or_against_none(
    asked: Question,
) -> None:
    decision = decide(asked)
    if decision.grant is None:
        assert decision.rule not in ("granted", "report_only_grant")
        return
    caller, counted = asked.caller, decision.grant
    assert decision.rule in ("granted", "report_only_grant")
    assert (counted.tid, counted.client_app_id) == (caller.tid, caller.azp)
    assert (counted.scope == "application") == (caller.kind == "app")
    assert counted.expires_at is None or counted.expires_at > asked.now


@thousand
@given(questions, revocations)
def test_adding_a_block_never_allows_more(asked: Question, more: Revocation) -> None:
    before, after = decide(asked), decide(blocked_too(asked, more))
    assert after == before or not after.allowed


@thousand
@given(questions)
def test_removing_a_grant_never_allows_more(asked: Question) -> None:
    before = decide(asked)
    for place in range(len(asked.grants)):
        fewer = (*asked.grants[:place], *asked.grants[place + 1 :])
        assert allows_no_more(decide(replace(asked, grants=fewer)), before)


@thousand
@given(questions)
def test_removing_a_grant_never_allows_longer_sessions_where_all_are_enforced(
    asked: Question,
) -> None:
    asked = enforced(asked)
    before = decide(asked)
    for place in range(len(asked.grants)):
        fewer = (*asked.grants[:place], *asked.grants[place + 1 :])
        after = decide(replace(asked, grants=fewer))
        assert not after.allowed or longest(after) <= longest(before)


@thousand
@given(questions)
def test_report_only_on_a_grant_never_denies_more(asked: Question) -> None:
    before = decide(asked)
    for place, one in enumerate(asked.grants):
        lenient = replace(one, report_only=True)
        grants = (*asked.grants[:place], lenient, *asked.grants[place + 1 :])
        after = decide(replace(asked, grants=grants))
        assert allows_no_more(before, after)
        assert not before.allowed or longest(after) >= longest(before)


@thousand
@given(questions)
def test_report_only_on_the_agent_never_denies_more(asked: Question) -> None:
    assume(asked.agent is not None)
    assert asked.agent is not None
    before = decide(asked)
    after = decide(replace(asked, agent=replace(asked.agent, report_only=True)))
    assert allows_no_more(before, after)
    assert not before.allowed or longest(after) >= longest(before)


@thousand
@given(questions)
def test_an_agent_in_report_only_denies_by_closed_blocks_and_platform_limits_alone(
    asked: Question,
) -> None:
    assume(asked.agent is not None)
    assert asked.agent is not None
    decision = decide(replace(asked, agent=replace(asked.agent, report_only=True)))
    assert decision.allowed or decision.rule in NOT_IN_REPORT_ONLY


@thousand
@given(questions)
def test_a_grant_in_report_only_never_denies_by_itself(asked: Question) -> None:
    """Of the caller's own, for its kind of token, and not over: what it is in report-only for."""
    agent, caller = asked.agent, asked.caller
    assume(agent is not None)
    assert agent is not None
    own = grant(
        "application" if caller.kind == "app" else "user",
        "somebody else",
        id="own",
        agent_name=agent.name,
        tid=caller.tid,
        client_app_id=caller.azp,
        max_sessions=1,
        report_only=True,
    )
    decision = decide(replace(asked, grants=(*asked.grants, own)))
    assert decision.allowed or decision.rule in NOT_IN_REPORT_ONLY | {"agent_sessions_limit"}


@thousand
@given(questions)
def test_what_would_deny_is_what_denies_once_everything_is_enforced(asked: Question) -> None:
    decision, strict = decide(asked), decide(enforced(asked))
    if not decision.allowed:
        assert (strict.allowed, decision.would_deny) == (False, None)
    elif decision.would_deny is None:
        assert (strict.allowed, strict.rule) == (True, decision.rule)
    else:
        assert (strict.allowed, strict.rule) == (False, decision.would_deny)


@thousand
@given(questions)
def test_whoever_a_limit_denies_is_let_in_when_nobody_else_is_there(asked: Question) -> None:
    full = Usage(9, {one.id: 9 for one in asked.grants})
    decision = decide(replace(asked, usage=full))
    if decision.rule.endswith("_sessions_limit"):
        assert not decision.allowed
        assert decide(replace(asked, usage=Usage())).allowed


@thousand
@given(questions)
def test_one_more_open_session_never_allows_more(asked: Question) -> None:
    busier = replace(
        asked.usage,
        of_agent=asked.usage.of_agent + 1,
        of_grants={one.id: asked.usage.of_grants.get(one.id, 0) + 1 for one in asked.grants},
    )
    assert allows_no_more(decide(replace(asked, usage=busier)), decide(asked))


@thousand
@given(questions)
def test_the_order_of_grants_does_not_matter(asked: Question) -> None:
    expected = decide(asked)
    for order in itertools.permutations(asked.grants):
        decision = decide(replace(asked, grants=order))
        assert replace(decision, reasons=()) == replace(expected, reasons=())
        assert Counter(decision.reasons) == Counter(expected.reasons)


@thousand
@given(questions)
def test_grants_of_others_change_nothing(asked: Question) -> None:
    """Of another application, tenant or agent: exactly as though they were not there."""
    agent, caller = asked.agent, asked.caller
    own = tuple(
        one
        for one in asked.grants
        if (one.tid, one.client_app_id) == (caller.tid, caller.azp)
        and (agent is None or one.agent_name == agent.name)
    )
    assert decide(asked) == decide(replace(asked, grants=own))


# Decisions depend on exact ids: every one that is a character off is somebody else's.

GRANTED: dict[str, tuple[Principal, Grant]] = {
    "application": (APPLICATION, grant("application")),
    "any_user": (ALICE, grant("any_user")),
    "group": (ALICE, grant("group", SALES)),
    "user": (ALICE, grant("user", ALICE_OID)),
}
CHARACTERS = "0123456789abcdefABCDEF-_ \0\u00e9\uff41"


def near_misses(text: str) -> Iterator[str]:
    """Each text with one character changed, left out or added."""
    for place, there in enumerate(text):
        yield text[:place] + text[place + 1 :]
        for character in CHARACTERS:
            yield text[:place] + character + text[place:]
            if character != there:
                yield text[:place] + character + text[place + 1 :]


@pytest.mark.parametrize("scope", GRANTED)
def test_another_application_is_granted_nothing_however_alike_its_id(scope: str) -> None:
    caller, one = GRANTED[scope]
    assert decide(question(caller, one)).rule == "granted"
    for other in near_misses(caller.azp):
        assert decide(question(replace(caller, azp=other), one)).rule == "no_grant"
        assert decide(question(caller, replace(one, client_app_id=other))).rule == "no_grant"


@pytest.mark.parametrize("scope", GRANTED)
def test_another_tenant_is_granted_nothing_however_alike_its_id(scope: str) -> None:
    caller, one = GRANTED[scope]
    for other in near_misses(caller.tid):
        assert decide(question(replace(caller, tid=other), one)).rule == "no_grant"
        assert decide(question(caller, replace(one, tid=other))).rule == "no_grant"


def test_another_user_is_granted_nothing_however_alike_their_id() -> None:
    caller, one = GRANTED["user"]
    for other in near_misses(caller.oid):
        assert decide(question(replace(caller, oid=other), one)).rule == "user_lacking"
        assert decide(question(caller, replace(one, scope_id=other))).rule == "user_lacking"


def test_another_group_is_granted_nothing_however_alike_its_id() -> None:
    caller, one = GRANTED["group"]
    for other in near_misses(SALES):
        elsewhere = replace(caller, groups=frozenset((other,)))
        assert decide(question(elsewhere, one)).rule == "group_lacking"
        assert decide(question(caller, replace(one, scope_id=other))).rule == "group_lacking"


def test_a_grant_is_for_no_other_agent_however_alike_its_name() -> None:
    caller, one = GRANTED["application"]
    for other in near_misses(one.agent_name):
        assert decide(question(caller, replace(one, agent_name=other))).rule == "no_grant"
