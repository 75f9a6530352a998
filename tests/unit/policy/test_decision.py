"""The decision: its truth table, combination by combination, and what a table cannot say."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

import pytest

from lkps_core.agents.model import Agent
from lkps_core.identity.principal import Kind, Principal
from lkps_core.policy.decision import Decision, Question, Rule, decide
from lkps_core.policy.explaining import EXPLANATIONS
from lkps_core.policy.model import Blocks, Grant, PlatformLimits, Scope, Usage, agent_subject
from tests.builders.lkps import guid
from tests.builders.tokens import NOW, TENANT
from tests.unit.policy.parts.policies import (
    AFTER,
    AGENT_SUBJECT,
    ALICE,
    ALICE_OID,
    ALICE_SUBJECT,
    APPLICATION,
    APPLICATION_SUBJECT,
    BEFORE,
    BOB,
    BOB_OID,
    CLOSED,
    CROWDED,
    GRANTED,
    NURSES,
    OPEN,
    OTHER_AZP,
    OTHER_TENANT,
    SALES,
    SESSION_ID,
    SESSION_SUBJECT,
    blocks,
    grant,
    question,
)

# The truth table: every combination, and beside it what the issue says of it.

type Access = Literal["open", "granted", "closed", "unknown"]
type Given = Literal[
    "none",
    "application",
    "any_user",
    "group",
    "user",
    "of another application",
    "of another tenant",
    "of another agent",
]
type Fit = Literal["fits", "lacks", "groups unnamed"]
type End = Literal["later", "now", "before"]
type Block = Literal["none", "agent", "application", "user", "session", "over", "ends now"]


class Case(NamedTuple):
    access: Access
    agent_report_only: bool
    kind: Kind
    block: Block
    given: Given
    fit: Fit
    end: End
    grant_report_only: bool
    grant_full: bool
    agent_full: bool
    platform_full: bool


class Answer(NamedTuple):
    allowed: bool
    rule: Rule
    would_deny: Rule | None = None


BOTH = (False, True)
KINDS: tuple[Kind, ...] = ("app", "user")
EVERY_ACCESS: tuple[Access, ...] = get_args(Access.__value__)
EVERY_BLOCK: tuple[Block, ...] = get_args(Block.__value__)
EVERY_GRANT: tuple[Given, ...] = get_args(Given.__value__)
EVERY_FIT: tuple[Fit, ...] = get_args(Fit.__value__)
EVERY_END: tuple[End, ...] = get_args(End.__value__)


def expected(case: Case) -> Answer:
    """Deny beats allow, absent means no, and report-only denies nobody by itself."""
    denied = _whatever_is_granted(case)
    if denied is not None:
        return Answer(False, denied)
    access = _let_in(case)
    if not access.allowed and case.agent_report_only:
        access = Answer(True, "report_only_mode", access.rule)
    if not access.allowed:
        return access
    if case.platform_full:
        return Answer(False, "platform_sessions_limit")
    if case.agent_full and not case.agent_report_only:
        return Answer(False, "agent_sessions_limit")
    if case.agent_full and access.would_deny is None:
        return access._replace(would_deny="agent_sessions_limit")
    return access


def _whatever_is_granted(case: Case) -> Rule | None:
    """A block that is over, or that ends at this instant, is none."""
    if case.block == "application":
        return "application_blocked"
    if case.block == "user" and case.kind == "user":
        return "user_blocked"
    if case.block == "session":
        return "session_blocked"
    if case.access == "unknown":
        return "agent_unknown"
    if case.block == "agent":
        return "agent_blocked"
    return "agent_closed" if case.access == "closed" else None


def _let_in(case: Case) -> Answer:
    if case.access == "open":
        return Answer(True, "open")
    lack = _what_the_grant_lacks(case)
    if lack is None:
        return Answer(True, "granted")
    if case.grant_report_only and lack in REPORTED_ONLY:
        return Answer(True, "report_only_grant", lack)
    return Answer(False, lack)


REPORTED_ONLY = {"group_lacking", "groups_overage", "user_lacking", "grant_sessions_limit"}
"""Conditions and limits. An expired grant is none, nor is one for the other kind of token."""

FOR_WHOM: dict[tuple[Kind, Given], dict[Fit, Rule | None]] = {
    ("app", "application"): {"fits": None, "lacks": None, "groups unnamed": None},
    ("app", "any_user"): dict.fromkeys(EVERY_FIT, "grant_for_users"),
    ("app", "group"): dict.fromkeys(EVERY_FIT, "grant_for_users"),
    ("app", "user"): dict.fromkeys(EVERY_FIT, "grant_for_users"),
    ("user", "application"): dict.fromkeys(EVERY_FIT, "grant_for_application"),
    ("user", "any_user"): {"fits": None, "lacks": None, "groups unnamed": None},
    ("user", "group"): {
        "fits": None,
        "lacks": "group_lacking",
        "groups unnamed": "groups_overage",
    },
    ("user", "user"): {"fits": None, "lacks": "user_lacking", "groups unnamed": None},
}


def _what_the_grant_lacks(case: Case) -> Rule | None:
    if (case.kind, case.given) not in FOR_WHOM:
        return "no_grant"
    if case.end != "later":
        return "grant_expired"
    lack = FOR_WHOM[case.kind, case.given][case.fit]
    return "grant_sessions_limit" if lack is None and case.grant_full else lack


def asked(case: Case) -> Question:
    """The question of the case: a repeat, so that a session can be blocked."""
    given = _grants(case)
    return Question(
        _caller(case),
        _agent(case.access, case.agent_report_only, case.agent_full),
        NOW,
        given,
        BLOCKS[case.block],
        NO_ROOM if case.platform_full else ROOM,
        Usage(7, {one.id: 5 if case.grant_full else 4 for one in given}),
        SESSION_ID,
    )


ROOM, NO_ROOM = (PlatformLimits(max_sessions_per_agent=most) for most in (8, 7))


def _caller(case: Case) -> Principal:
    if case.kind == "app":
        return APPLICATION
    return CROWDED if case.fit == "groups unnamed" else ALICE


@cache
def _agent(access: Access, report_only: bool, is_full: bool) -> Agent | None:
    if access == "unknown":
        return None
    return replace(
        GRANTED, access_mode=access, report_only=report_only, max_sessions=7 if is_full else 8
    )


BLOCKS: dict[Block, Blocks] = {
    "none": Blocks(),
    "agent": blocks(AGENT_SUBJECT),
    "application": blocks(APPLICATION_SUBJECT),
    "user": blocks(ALICE_SUBJECT),
    "session": blocks(SESSION_SUBJECT),
    "over": blocks(
        AGENT_SUBJECT, APPLICATION_SUBJECT, ALICE_SUBJECT, SESSION_SUBJECT, until=BEFORE
    ),
    "ends now": blocks(
        AGENT_SUBJECT, APPLICATION_SUBJECT, ALICE_SUBJECT, SESSION_SUBJECT, until=NOW
    ),
}
ENDS = {"later": AFTER, "now": NOW, "before": BEFORE}


def _grants(case: Case) -> list[Grant]:
    if case.given == "none":
        return []
    return [_grant(case.given, case.kind, case.fit != "lacks", case.end, case.grant_report_only)]


@cache
def _grant(given: Given, kind: Kind, fits: bool, end: End, report_only: bool) -> Grant:
    terms: dict[str, Any] = {"expires_at": ENDS[end], "max_sessions": 5, "report_only": report_only}
    for_the_caller: Scope = "application" if kind == "app" else "any_user"
    match given:
        case "application" | "any_user":
            return grant(given, **terms)
        case "group":
            return grant("group", SALES if fits else NURSES, **terms)
        case "user":
            return grant("user", ALICE_OID if fits else BOB_OID, **terms)
        case "of another application":
            return grant(for_the_caller, client_app_id=OTHER_AZP, **terms)
        case "of another tenant":
            return grant(for_the_caller, tid=OTHER_TENANT, **terms)
        case _:
            return grant(for_the_caller, agent_name="pharmacist", **terms)


OUTER = [*itertools.product(EVERY_ACCESS, BOTH, KINDS, EVERY_BLOCK)]


def cases(access: Access, report_only: bool, kind: Kind, block: Block) -> Iterator[Case]:
    for rest in itertools.product(EVERY_GRANT, EVERY_FIT, EVERY_END, BOTH, BOTH, BOTH, BOTH):
        yield Case(access, report_only, kind, block, *rest)


@pytest.mark.parametrize(("access", "report_only", "kind", "block"), OUTER)
def test_every_combination_is_decided_as_the_issue_says(
    access: Access, report_only: bool, kind: Kind, block: Block
) -> None:
    for case in cases(access, report_only, kind, block):
        decision = decide(asked(case))
        answer = Answer(decision.allowed, decision.rule, decision.would_deny)
        assert answer == expected(case), case


def test_the_table_has_every_rule_but_the_one_for_callers_without_the_permission() -> None:
    told = {
        expected(case).rule
        for access, kind, block in itertools.product(EVERY_ACCESS, KINDS, EVERY_BLOCK[:5])
        for report_only in BOTH
        for case in cases(access, report_only, kind, block)
    }
    assert told == {*get_args(Rule.__value__)} - {"permission_lacking"}


def test_every_rule_is_explained() -> None:
    assert set(EXPLANATIONS) == set(get_args(Rule.__value__))


# What the table cannot say.


def rules(decision: Decision) -> list[Rule]:
    return [rule for rule, _ in decision.reasons]


@pytest.mark.parametrize(
    "permissions", [(), ("LKPS.Admin", "LKPS.Agent"), ("Agent.Manage",), ("lkps.client",)]
)
@pytest.mark.parametrize("caller", [APPLICATION, ALICE], ids=["app", "user"])
def test_without_the_permission_to_start_sessions_nothing_else_is_looked_at(
    caller: Principal, permissions: tuple[str, ...]
) -> None:
    without = replace(caller, permissions=frozenset(permissions))
    decision = decide(question(without, agent=OPEN, blocks=blocks(APPLICATION_SUBJECT)))
    assert (decision.allowed, decision.rule) == (False, "permission_lacking")
    assert decision.reasons == (("permission_lacking", None),)


@pytest.mark.parametrize(
    ("blocked", "rule"),
    [
        (
            (APPLICATION_SUBJECT, ALICE_SUBJECT, SESSION_SUBJECT, AGENT_SUBJECT),
            "application_blocked",
        ),
        ((ALICE_SUBJECT, SESSION_SUBJECT, AGENT_SUBJECT), "user_blocked"),
        ((SESSION_SUBJECT, AGENT_SUBJECT), "session_blocked"),
        ((AGENT_SUBJECT,), "agent_blocked"),
        ((), "agent_closed"),
    ],
)
def test_of_several_denials_the_one_nearest_to_the_caller_is_told_alone(
    blocked: tuple[str, ...], rule: Rule
) -> None:
    decision = decide(
        question(
            ALICE,
            grant("any_user"),
            agent=CLOSED,
            blocks=blocks(*blocked),
            limits=PlatformLimits(max_sessions_per_agent=0),
            session_id=SESSION_ID,
        )
    )
    assert (decision.allowed, decision.rule) == (False, rule)
    assert decision.reasons == ((rule, None),)


def test_a_block_of_a_session_concerns_no_start_of_another() -> None:
    for session_id in (None, "concierge--another"):
        blocked = blocks(SESSION_SUBJECT)
        asked_for = question(APPLICATION, agent=OPEN, blocks=blocked, session_id=session_id)
        assert decide(asked_for).allowed


def test_a_block_of_an_object_id_concerns_an_applications_own_principal_as_well() -> None:
    twin = replace(APPLICATION, oid=ALICE_OID)
    decision = decide(question(twin, agent=OPEN, blocks=blocks(ALICE_SUBJECT)))
    assert (decision.allowed, decision.rule) == (False, "user_blocked")


def test_a_block_of_an_application_concerns_its_users() -> None:
    decision = decide(question(ALICE, agent=OPEN, blocks=blocks(APPLICATION_SUBJECT)))
    assert decision.rule == "application_blocked"


def test_a_block_of_one_user_or_agent_concerns_no_other() -> None:
    blocked = blocks(ALICE_SUBJECT, agent_subject("concierge-2"), agent_subject("concierg"))
    assert decide(question(BOB, agent=OPEN, blocks=blocked)).allowed


def test_a_block_ends_at_its_instant() -> None:
    until = NOW + timedelta(minutes=5)
    blocked = question(ALICE, agent=OPEN, blocks=blocks(ALICE_SUBJECT, until=until))
    last = replace(blocked, now=until - timedelta(microseconds=1))
    assert not decide(last).allowed
    assert decide(replace(blocked, now=until)).allowed


def test_a_grant_ends_at_its_instant() -> None:
    until = NOW + timedelta(minutes=5)
    given = question(APPLICATION, grant(expires_at=until))
    assert decide(replace(given, now=until - timedelta(microseconds=1))).allowed
    assert decide(replace(given, now=until)).rule == "grant_expired"


def test_a_grant_without_an_end_does_not_expire() -> None:
    given = question(APPLICATION, grant())
    assert decide(replace(given, now=NOW + timedelta(days=36_500))).allowed


def test_an_open_agent_asks_for_no_grant_and_counts_against_none() -> None:
    given = grant(max_sessions=1, max_session_seconds=60)
    decision = decide(question(APPLICATION, given, agent=OPEN, usage=Usage(9, {given.id: 9})))
    assert decision == Decision(True, "open", (("open", None),))


def test_a_grant_that_fits_is_the_reason_and_what_the_session_counts_against() -> None:
    given = grant()
    decision = decide(question(APPLICATION, given))
    assert decision == Decision(True, "granted", (("granted", given),), given)


@pytest.mark.parametrize("report_only", BOTH)
def test_a_users_token_never_uses_the_applications_grant(report_only: bool) -> None:
    given = grant("application", report_only=report_only)
    assert decide(question(ALICE, given)).rule == "grant_for_application"


@pytest.mark.parametrize("report_only", BOTH)
@pytest.mark.parametrize(
    ("scope", "scope_id"), [("any_user", None), ("group", SALES), ("user", APPLICATION.oid)]
)
def test_an_applications_token_never_uses_its_users_grants(
    scope: Scope, scope_id: str | None, report_only: bool
) -> None:
    caller = replace(APPLICATION, groups=frozenset((SALES,)))
    given = grant(scope, scope_id, report_only=report_only)
    assert decide(question(caller, given)).rule == "grant_for_users"


def test_a_grant_through_one_application_does_not_let_the_user_in_through_another() -> None:
    elsewhere = replace(ALICE, azp=OTHER_AZP)
    assert decide(question(elsewhere, grant("user", ALICE_OID))).rule == "no_grant"


def test_grants_of_others_are_no_reasons() -> None:
    decision = decide(
        question(
            APPLICATION,
            grant(client_app_id=OTHER_AZP),
            grant(tid=OTHER_TENANT),
            grant(agent_name="pharmacist"),
        )
    )
    assert decision.reasons == (("no_grant", None),)


@pytest.mark.parametrize("member", ["azp", "tid", "oid"])
def test_ids_match_in_one_spelling_only(member: str) -> None:
    given = question(ALICE, grant("user", ALICE_OID))
    assert decide(given).allowed
    shouted = replace(ALICE, **{member: getattr(ALICE, member).upper()})
    assert not decide(replace(given, caller=shouted)).allowed


# The overage of groups.


def test_with_an_overage_a_grant_to_a_group_is_no_yes() -> None:
    decision = decide(question(CROWDED, grant("group", SALES)))
    assert (decision.allowed, decision.rule) == (False, "groups_overage")


def test_with_an_overage_a_group_that_is_named_all_the_same_counts() -> None:
    caller = replace(CROWDED, groups=frozenset((SALES,)))
    assert decide(question(caller, grant("group", SALES))).rule == "granted"


@pytest.mark.parametrize("given", [grant("any_user"), grant("user", ALICE_OID)])
def test_with_an_overage_grants_that_ask_for_no_group_fit(given: Grant) -> None:
    assert decide(question(CROWDED, grant("group", SALES), given)).grant == given


def test_an_overage_is_no_reason_where_no_group_is_asked_for() -> None:
    assert decide(question(CROWDED, grant("user", BOB_OID))).rule == "user_lacking"
    assert decide(question(CROWDED)).rule == "no_grant"


# Which of several grants is chosen.


def test_of_the_grants_that_fit_the_one_with_the_longest_sessions_is_chosen() -> None:
    short = grant("any_user", max_session_seconds=60)
    long = grant("group", SALES, max_session_seconds=600)
    endless = grant("user", ALICE_OID)
    assert decide(question(ALICE, short, long)).grant == long
    assert decide(question(ALICE, endless, short, long)).grant == endless


@pytest.mark.parametrize("seconds", [None, 600])
def test_of_equal_grants_the_smallest_id_is_chosen_in_whichever_order_they_come(
    seconds: int | None,
) -> None:
    three = [
        grant("any_user", id="b", max_session_seconds=seconds),
        grant("group", SALES, id="a", max_session_seconds=seconds),
        grant("user", ALICE_OID, id="c", max_session_seconds=seconds),
    ]
    for order in itertools.permutations(three):
        chosen = decide(question(ALICE, *order)).grant
        assert chosen is not None
        assert chosen.id == "a"


def test_a_full_grant_leaves_the_session_to_another_that_fits() -> None:
    full = grant("any_user", max_sessions=2)
    other = grant("user", ALICE_OID, max_session_seconds=60)
    decision = decide(question(ALICE, full, other, usage=Usage(2, {full.id: 2})))
    assert (decision.rule, decision.grant, decision.longest_seconds) == ("granted", other, 60)


def test_a_grant_that_fits_is_chosen_before_one_that_is_in_report_only() -> None:
    lenient = grant("group", NURSES, report_only=True)
    fitting = grant("user", ALICE_OID, max_session_seconds=60)
    for given in itertools.permutations((lenient, fitting)):
        decision = decide(question(ALICE, *given))
        assert (decision.rule, decision.would_deny, decision.grant) == ("granted", None, fitting)


def test_only_its_own_sessions_fill_a_grant() -> None:
    given, other = grant(max_sessions=2), grant("any_user", max_sessions=2)
    usage = Usage(99, {given.id: 1, other.id: 99})
    assert decide(question(APPLICATION, given, other, usage=usage)).grant == given


# Which rule is told when several fail.


TELLING: list[tuple[Rule, Grant]] = [
    ("grant_sessions_limit", grant("any_user", id="1", max_sessions=1)),
    ("groups_overage", grant("group", SALES, id="2")),
    ("user_lacking", grant("user", BOB_OID, id="3")),
    ("grant_expired", grant("user", ALICE_OID, id="4", expires_at=BEFORE)),
    ("grant_for_application", grant("application", id="5")),
]


@pytest.mark.parametrize("first", range(len(TELLING)))
@pytest.mark.parametrize("backwards", BOTH)
def test_of_the_rules_that_fail_the_one_is_told_that_is_nearest_to_a_yes(
    first: int, backwards: bool
) -> None:
    told = [rule for rule, _ in TELLING[first:]]
    given = [one for _, one in TELLING[first:]]
    usage = Usage(1, {"1": 1})
    decision = decide(question(CROWDED, *(given[::-1] if backwards else given), usage=usage))
    assert (decision.allowed, decision.rule) == (False, told[0])
    assert sorted(rules(decision)) == sorted(told)


def test_a_group_that_is_lacking_is_told_before_a_user() -> None:
    for given in itertools.permutations((grant("user", BOB_OID), grant("group", NURSES))):
        assert decide(question(ALICE, *given)).rule == "group_lacking"


def test_to_an_application_the_users_grants_are_told_after_its_own() -> None:
    given = (grant(expires_at=NOW), grant("any_user"))
    assert decide(question(APPLICATION, *given)).rule == "grant_expired"
    assert decide(question(APPLICATION, given[1])).rule == "grant_for_users"


def test_the_platforms_limit_is_told_before_the_agents() -> None:
    agent = replace(OPEN, max_sessions=1)
    limits = PlatformLimits(max_sessions_per_agent=1)
    decision = decide(question(ALICE, agent=agent, limits=limits, usage=Usage(1)))
    assert decision.rule == "platform_sessions_limit"


def test_a_limit_is_not_told_to_whoever_may_not_call_the_agent() -> None:
    agent = replace(GRANTED, max_sessions=1)
    limits = PlatformLimits(max_sessions_per_agent=1)
    assert decide(question(ALICE, agent=agent, limits=limits, usage=Usage(1))).rule == "no_grant"


# The reasons and their order.


def test_what_each_grant_lacks_is_told_in_their_order_the_deciding_one_last() -> None:
    group, expired = grant("group", NURSES), grant("any_user", expires_at=NOW)
    other = grant("user", BOB_OID)
    decision = decide(question(ALICE, group, expired, other))
    assert decision.reasons == (
        ("grant_expired", expired),
        ("user_lacking", other),
        ("group_lacking", group),
    )


def test_what_report_only_let_pass_is_told_before_it() -> None:
    other, lenient = grant("user", BOB_OID), grant("group", NURSES, report_only=True)
    decision = decide(question(ALICE, other, lenient))
    assert decision.reasons == (
        ("user_lacking", other),
        ("group_lacking", lenient),
        ("report_only_grant", lenient),
    )


def test_what_the_report_only_mode_let_pass_is_told_before_it() -> None:
    other = grant("user", BOB_OID)
    decision = decide(question(ALICE, other, agent=replace(GRANTED, report_only=True)))
    assert decision.reasons == (("user_lacking", other), ("report_only_mode", None))
    assert (decision.rule, decision.would_deny) == ("report_only_mode", "user_lacking")


def test_a_limit_is_told_after_what_let_the_caller_in() -> None:
    given, agent = grant(), replace(GRANTED, max_sessions=3)
    decision = decide(question(APPLICATION, given, agent=agent, usage=Usage(3)))
    assert decision.reasons == (("granted", given), ("agent_sessions_limit", None))


# What would deny, were it not in report-only.


def test_what_would_deny_is_what_does_deny_once_it_is_enforced() -> None:
    full = grant("any_user", max_sessions=1)
    lenient = grant("group", NURSES, report_only=True)
    usage = Usage(1, {full.id: 1})
    for given in itertools.permutations((full, lenient)):
        decision = decide(question(ALICE, *given, usage=usage))
        enforced = decide(
            question(ALICE, *(replace(one, report_only=False) for one in given), usage=usage)
        )
        assert (decision.rule, decision.grant) == ("report_only_grant", lenient)
        assert (enforced.allowed, enforced.rule) == (False, decision.would_deny)


def test_of_grants_in_report_only_the_smallest_id_counts_in_whichever_order_they_come() -> None:
    three = [
        grant("group", NURSES, id="b", report_only=True),
        grant("user", BOB_OID, id="a", report_only=True),
        grant("any_user", id="c", report_only=True, expires_at=NOW),
    ]
    for order in itertools.permutations(three):
        decision = decide(question(ALICE, *order))
        assert decision.grant == three[1]
        assert decision.would_deny == "group_lacking"


def test_a_full_grant_in_report_only_goes_on_counting_its_sessions() -> None:
    lenient = grant(max_sessions=1, report_only=True)
    decision = decide(question(APPLICATION, lenient, usage=Usage(1, {lenient.id: 1})))
    assert (decision.allowed, decision.grant) == (True, lenient)
    assert decision.would_deny == "grant_sessions_limit"


@pytest.mark.parametrize("access", ["open", "granted"])
def test_a_full_agent_in_report_only_says_that_it_would_deny(
    access: Literal["open", "granted"],
) -> None:
    agent = replace(GRANTED, access_mode=access, report_only=True, max_sessions=1)
    decision = decide(question(APPLICATION, grant(), agent=agent, usage=Usage(1)))
    assert (decision.allowed, decision.rule, decision.would_deny) == (
        True,
        access,
        "agent_sessions_limit",
    )


def test_report_only_tells_nothing_where_nothing_would_deny() -> None:
    agent = replace(GRANTED, report_only=True, max_sessions=2)
    decision = decide(question(APPLICATION, grant(report_only=True), agent=agent, usage=Usage(1)))
    assert (decision.rule, decision.would_deny) == ("granted", None)


# The longest session.


@pytest.mark.parametrize(
    ("platform", "agent", "given", "longest"),
    [
        (None, None, None, None),
        (30, None, None, 30),
        (None, 30, None, 30),
        (None, None, 30, 30),
        (30, 20, 10, 10),
        (10, 20, 30, 10),
        (30, 10, 20, 10),
    ],
)
def test_the_shortest_of_the_limits_is_the_longest_session(
    platform: int | None, agent: int | None, given: int | None, longest: int | None
) -> None:
    decision = decide(
        question(
            APPLICATION,
            grant(max_session_seconds=given),
            agent=replace(GRANTED, max_session_seconds=agent),
            limits=PlatformLimits(max_session_seconds=platform),
        )
    )
    assert decision.longest_seconds == longest


def test_in_report_only_the_grant_does_not_shorten_a_session() -> None:
    agent = replace(GRANTED, max_session_seconds=50)
    given = grant(max_session_seconds=10, report_only=True)
    assert decide(question(APPLICATION, given, agent=agent)).longest_seconds == 50


def test_in_report_only_the_agent_shortens_no_session_and_neither_do_its_grants() -> None:
    agent = replace(GRANTED, max_session_seconds=20, report_only=True)
    limits = PlatformLimits(max_session_seconds=50)
    given = grant(max_session_seconds=10)
    assert decide(question(APPLICATION, given, agent=agent, limits=limits)).longest_seconds == 50


def test_an_open_agents_sessions_are_as_long_as_agent_and_platform_allow() -> None:
    agent = replace(OPEN, max_session_seconds=20)
    given = grant(max_session_seconds=10)
    assert decide(question(APPLICATION, given, agent=agent)).longest_seconds == 20


# The edges of limits.


@pytest.mark.parametrize(("used", "allowed"), [(0, True), (2, True), (3, False), (4, False)])
def test_a_limit_is_reached_by_as_many_sessions_as_it_says(used: int, allowed: bool) -> None:
    given = grant(max_sessions=3)
    by_grant = question(APPLICATION, given, usage=Usage(used, {given.id: used}))
    by_agent = question(APPLICATION, agent=replace(OPEN, max_sessions=3), usage=Usage(used))
    by_platform = question(
        APPLICATION,
        agent=OPEN,
        limits=PlatformLimits(max_sessions_per_agent=3),
        usage=Usage(used),
    )
    for one in (by_grant, by_agent, by_platform):
        assert decide(one).allowed is allowed


def test_a_grant_of_one_session_lets_its_first_in() -> None:
    given = grant(max_sessions=1)
    assert decide(question(APPLICATION, given)).grant == given
    assert decide(question(APPLICATION, given, usage=Usage(3, {"another": 3}))).grant == given


def test_an_unknown_agent_is_told_before_everything_that_is_its_own() -> None:
    decision = decide(question(ALICE, grant("any_user"), agent=None, blocks=blocks(AGENT_SUBJECT)))
    assert decision.reasons == (("agent_unknown", None),)


def test_a_group_of_another_name_is_another_group() -> None:
    caller = replace(ALICE, groups=frozenset((guid("group sales 2"), SALES[:-1], SALES + "0")))
    assert decide(question(caller, grant("group", SALES))).rule == "group_lacking"


def test_the_tenant_of_the_tests_is_the_callers() -> None:
    assert {APPLICATION.tid, ALICE.tid, BOB.tid} == {TENANT}
