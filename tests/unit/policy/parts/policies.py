"""Callers, agents, grants and blocks as a decision sees them, changed as a test says."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lkps_core.agents.model import Agent
from lkps_core.identity.principal import Principal, PrincipalId
from lkps_core.policy.decision import Question
from lkps_core.policy.model import (
    Blocks,
    Grant,
    Revocation,
    Scope,
    agent_subject,
    application_subject,
    grant_id,
    session_subject,
    user_subject,
)
from tests.builders.lkps import guid
from tests.builders.tokens import NOW, TENANT

AGENT_NAME = "concierge"
SESSION_ID = "concierge--abcdefghijklmnopqrstuvwxyz"
AZP, OTHER_AZP = guid("app client"), guid("app other client")
ALICE_OID, BOB_OID = guid("user alice"), guid("user bob")
SALES, NURSES = guid("group sales"), guid("group nurses")
OTHER_TENANT = guid("tenant other")

OWNER = PrincipalId(TENANT, guid("user owner"))
NOBODY: frozenset[PrincipalId] = frozenset()

BEFORE, AFTER = NOW - timedelta(microseconds=1), NOW + timedelta(microseconds=1)

APPLICATION = Principal("app", TENANT, guid("sp client"), AZP, "uti", frozenset(("LKPS.Client",)))
ALICE = Principal(
    "user",
    TENANT,
    ALICE_OID,
    AZP,
    "uti",
    frozenset(("Session.Start",)),
    groups=frozenset((SALES,)),
)
BOB = replace(ALICE, oid=BOB_OID, groups=frozenset((NURSES,)))
CROWDED = replace(ALICE, groups=frozenset(), groups_overage=True)
"""Alice, in too many groups for her token to name them."""

GRANTED = Agent(AGENT_NAME, NOBODY, frozenset((OWNER,)), NOW, access_mode="granted")
OPEN = replace(GRANTED, access_mode="open")
CLOSED = replace(GRANTED, access_mode="closed")


def grant(scope: Scope = "application", scope_id: str | None = None, **terms: Any) -> Grant:  # noqa: ANN401
    """For the client application, on the agent; its id follows from whom it is for."""
    made = Grant(
        id="",
        agent_name=AGENT_NAME,
        tid=TENANT,
        client_app_id=AZP,
        scope=scope,
        scope_id=scope_id,
        reason="the tests ask for it",
        granted_by=OWNER,
        granted_at=NOW - timedelta(days=1),
    )
    made = replace(made, **terms)
    return replace(
        made, id=made.id or grant_id(made.tid, made.client_app_id, made.scope, made.scope_id)
    )


def revocation(subject: str, until: datetime | None = None) -> Revocation:
    return Revocation(subject, "an incident", OWNER, NOW - timedelta(hours=1), until)


def blocks(*subjects: str, until: datetime | None = None) -> Blocks:
    return Blocks([revocation(subject, until) for subject in subjects])


AGENT_SUBJECT = agent_subject(AGENT_NAME)
APPLICATION_SUBJECT = application_subject(TENANT, AZP)
ALICE_SUBJECT = user_subject(TENANT, ALICE_OID)
SESSION_SUBJECT = session_subject(SESSION_ID)


def question(
    caller: Principal,
    *grants: Grant,
    agent: Agent | None = GRANTED,
    **more: Any,  # noqa: ANN401
) -> Question:
    """Whether the caller may start a session now; `more` are the Question's own members."""
    return replace(Question(caller, agent, NOW, grants), **more)
