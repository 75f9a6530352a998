"""Grants and blocks as rows: their keys, and when they are over."""

import itertools
import re
from datetime import datetime, timedelta

import pytest

from lkps_core.policy.model import Blocks, PlatformLimits, Scope, grant_id
from tests.builders.tokens import NOW, TENANT
from tests.unit.policy.parts.policies import (
    AFTER,
    AGENT_NAME,
    AGENT_SUBJECT,
    ALICE,
    ALICE_OID,
    ALICE_SUBJECT,
    APPLICATION,
    APPLICATION_SUBJECT,
    AZP,
    BEFORE,
    BOB,
    NURSES,
    OTHER_AZP,
    OTHER_TENANT,
    SALES,
    SESSION_ID,
    SESSION_SUBJECT,
    blocks,
    grant,
    revocation,
)

FOR_WHOM: tuple[tuple[Scope, str | None], ...] = (
    ("application", None),
    ("any_user", None),
    ("group", SALES),
    ("group", NURSES),
    ("user", SALES),
    ("user", ALICE_OID),
)


def test_a_grant_stands_in_its_agents_partition_under_its_id() -> None:
    one = grant()
    assert (one.partition, one.key) == (AGENT_NAME, one.id)
    assert re.fullmatch(f"{TENANT}:{AZP}:[0-9a-f]{{26}}", one.id)


def test_every_grant_that_differs_in_whom_it_is_for_has_an_id_of_its_own() -> None:
    ids = {
        grant_id(tid, azp, scope, scope_id)
        for tid, azp, (scope, scope_id) in itertools.product(
            (TENANT, OTHER_TENANT), (AZP, OTHER_AZP), FOR_WHOM
        )
    }
    assert len(ids) == 2 * 2 * len(FOR_WHOM)


def test_grants_for_the_same_have_one_id_whatever_their_terms() -> None:
    assert grant(max_sessions=3, expires_at=NOW, report_only=True).id == grant().id


@pytest.mark.parametrize(
    ("ends", "is_over"), [(None, False), (AFTER, False), (NOW, True), (BEFORE, True)]
)
def test_a_grant_and_a_block_are_over_at_their_instant(
    ends: datetime | None, is_over: bool
) -> None:
    assert grant(expires_at=ends).has_expired(NOW) is is_over
    assert revocation(AGENT_SUBJECT, ends).holds(NOW) is not is_over


@pytest.mark.parametrize(
    ("subject", "kind", "subject_id"),
    [
        (AGENT_SUBJECT, "agent", AGENT_NAME),
        (APPLICATION_SUBJECT, "application", AZP),
        (ALICE_SUBJECT, "user", ALICE_OID),
        (SESSION_SUBJECT, "session", SESSION_ID),
    ],
)
def test_a_block_says_what_it_is_of(subject: str, kind: str, subject_id: str) -> None:
    one = revocation(subject)
    assert (one.partition, one.key) == ("revocation", subject)
    assert (one.kind, one.subject_id) == (kind, subject_id)


def test_a_caller_is_blocked_as_its_application_before_it_is_as_its_user() -> None:
    both = blocks(APPLICATION_SUBJECT, ALICE_SUBJECT)
    assert both.block_of(ALICE, NOW) == "application"
    assert blocks(ALICE_SUBJECT).block_of(ALICE, NOW) == "user"
    assert blocks(ALICE_SUBJECT).block_of(BOB, NOW) is None
    assert blocks(ALICE_SUBJECT).block_of(APPLICATION, NOW) is None
    assert Blocks().block_of(ALICE, NOW) is None


def test_a_block_that_is_over_blocks_nobody() -> None:
    ended = blocks(APPLICATION_SUBJECT, ALICE_SUBJECT, until=NOW)
    assert ended.block_of(ALICE, NOW - timedelta(seconds=1)) == "application"
    assert ended.block_of(ALICE, NOW) is None


def test_the_platforms_limits_are_one_row() -> None:
    limits = PlatformLimits()
    assert (limits.partition, limits.key) == ("platform", "limits")
