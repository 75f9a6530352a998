"""Random policies and requests, from few ids, so that they meet often and miss often.

Each is made of random bytes, one for each choice: a thousand are made in a second, and a failing
one shrinks to the first choice wherever it can.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import strategies as st

from lkps_core.agents.model import AccessMode, Agent
from lkps_core.identity.principal import Kind, Principal
from lkps_core.policy.decision import Question
from lkps_core.policy.model import (
    Blocks,
    Grant,
    PlatformLimits,
    Revocation,
    Scope,
    Usage,
    agent_subject,
    application_subject,
    session_subject,
    user_subject,
)
from tests.builders.lkps import guid
from tests.builders.tokens import NOW
from tests.unit.policy.parts.policies import NOBODY, OWNER, revocation

TENANTS = (guid("one tenant"), guid("another tenant"))
APPLICATIONS = (guid("one application"), guid("another application"))
PEOPLE = (guid("one user"), guid("another user"))
GROUPS = (guid("one group"), guid("another group"))
NAMES = ("concierge", "pharmacist")
SESSIONS = ("concierge--aaa", "pharmacist--bbb")
GRANT_IDS = ("a", "b", "c", "d")

INSTANTS: tuple[datetime | None, ...] = (
    None,
    None,
    *(NOW + timedelta(seconds=seconds) for seconds in (2, 1, 0, -1)),
)
LIMITS = (None, None, None, 3, 2, 1)
SECONDS = (None, 600, 60, 10)
SUBJECTS = (
    *(agent_subject(name) for name in NAMES),
    *(application_subject(tid, azp) for tid in TENANTS for azp in APPLICATIONS),
    *(user_subject(tid, oid) for tid in TENANTS for oid in PEOPLE),
    *(session_subject(one) for one in SESSIONS),
)
MODES: tuple[AccessMode, ...] = ("granted", "granted", "granted", "granted", "open", "closed")
SCOPES: tuple[Scope, ...] = ("any_user", "group", "user", "application")
PERMISSIONS: dict[Kind, str] = {"app": "LKPS.Client", "user": "Session.Start"}


class _Dice:
    def __init__(self, raw: bytes) -> None:
        self._raw = iter(raw)

    def one_of[T](self, *values: T) -> T:
        return values[next(self._raw) % len(values)]

    def mostly[T](self, *values: T) -> T:
        """The first, in most cases."""
        return self.one_of(*values[:1] * 14, *values)


def _caller(dice: _Dice) -> Principal:
    kind: Kind = dice.one_of("user", "app")
    return Principal(
        kind=kind,
        tid=dice.mostly(*TENANTS),
        oid=dice.mostly(*PEOPLE),
        azp=dice.mostly(*APPLICATIONS),
        uti="uti",
        permissions=frozenset((dice.mostly(PERMISSIONS[kind], "Agent.Manage"),)),
        groups=frozenset(dice.one_of(GROUPS[:1], GROUPS, GROUPS[1:], ())),
        groups_overage=dice.mostly(False, True),
    )


def _agent(dice: _Dice) -> Agent | None:
    agent = Agent(
        name=dice.mostly(*NAMES),
        runners=NOBODY,
        owners=NOBODY,
        created_at=NOW,
        access_mode=dice.one_of(*MODES),
        report_only=dice.one_of(False, False, True),
        max_sessions=dice.one_of(*LIMITS),
        max_session_seconds=dice.one_of(*SECONDS),
    )
    return dice.mostly(agent, None)


def _grant(dice: _Dice, grant_id: str) -> Grant:
    return Grant(
        id=grant_id,
        agent_name=dice.mostly(*NAMES),
        tid=dice.mostly(*TENANTS),
        client_app_id=dice.mostly(*APPLICATIONS),
        scope=dice.one_of(*SCOPES),
        scope_id=dice.one_of(*GROUPS, *PEOPLE, None),
        reason="at random",
        granted_by=OWNER,
        granted_at=NOW,
        expires_at=dice.one_of(*INSTANTS),
        max_sessions=dice.one_of(*LIMITS),
        max_session_seconds=dice.one_of(*SECONDS),
        report_only=dice.one_of(False, False, True),
    )


def _revocation(dice: _Dice) -> Revocation:
    return revocation(dice.one_of(*SUBJECTS), dice.one_of(*INSTANTS))


def _question(dice: _Dice) -> Question:
    ids = GRANT_IDS[: dice.one_of(2, 1, 3, 4, 1, 2, 3, 4, 0)]
    return Question(
        caller=_caller(dice),
        agent=_agent(dice),
        now=NOW,
        grants=tuple(_grant(dice, one) for one in ids),
        blocks=Blocks([_revocation(dice) for _ in range(dice.one_of(0, 0, 1, 2))]),
        limits=PlatformLimits(
            max_sessions_per_agent=dice.mostly(*LIMITS),
            max_session_seconds=dice.one_of(*SECONDS),
        ),
        usage=Usage(
            dice.one_of(0, 1, 2, 3), {one: dice.one_of(0, 1, 2, 3) for one in GRANT_IDS[:3]}
        ),
        session_id=dice.one_of(None, *SESSIONS),
    )


def _made[T](make: Callable[[_Dice], T], choices: int) -> st.SearchStrategy[T]:
    return st.binary(min_size=choices, max_size=choices).map(lambda raw: make(_Dice(raw)))


questions = _made(_question, 80)
revocations = _made(_revocation, 2)
