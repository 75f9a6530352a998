"""Answers of LKPS, made by its own models, and the ids in them."""

from datetime import UTC, datetime
from typing import Any

from lkps_core.wire.agents import AgentAnswer, AgentList, AgentSummary, Instance, Rotated
from lkps_core.wire.authorization import Checked, ReasonAnswer
from lkps_core.wire.bodies import Answer
from lkps_core.wire.grants import GrantAnswer, GrantList
from lkps_core.wire.limits import LimitsAnswer
from lkps_core.wire.policy import Applied, Change, Finding, Planned, PolicyAnswer
from lkps_core.wire.principals import PrincipalAnswer, WhoAmI
from lkps_core.wire.revocations import BeyondReach, RevocationAnswer, RevocationList, Revoked
from lkps_core.wire.sessions import SessionAnswer
from lkps_core.wire.sweep import RunAnswer

TID = "11111111-2222-4333-8444-555555555555"
OWNER = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "aaaaaaaa-0000-4000-8000-000000000002"
RUNNER = "aaaaaaaa-0000-4000-8000-000000000003"
CLIENT = "bbbbbbbb-0000-4000-8000-000000000001"
GROUP = "cccccccc-0000-4000-8000-000000000001"
USER = "dddddddd-0000-4000-8000-000000000001"
GRANT = f"{TID}:{CLIENT}:{'a' * 26}"
SESSION = f"concierge--{'a' * 26}"
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

Members = dict[str, Any]


def wire(answer: Answer) -> Members:
    return answer.model_dump(mode="json", exclude_none=True)


def principal(oid: str) -> PrincipalAnswer:
    return PrincipalAnswer(tid=TID, oid=oid)


def whoami(**changes: object) -> Members:
    members: Members = {
        "kind": "app",
        "tid": TID,
        "oid": OWNER,
        "client_app_id": CLIENT,
        "permissions": ["LKPS.Manage"],
        "groups": [],
        "groups_overage": False,
        "environment": "local",
        "installation": "eu-1",
        "version": "0.1.0",
        "livekit_url": "wss://livekit.example",
    }
    return wire(WhoAmI(**{**members, **changes}))


def _agent(**changes: object) -> Members:
    members: Members = {
        "name": "concierge",
        "runners": [principal(RUNNER)],
        "owners": [principal(OWNER)],
        "access_mode": "granted",
        "report_only": False,
        "blocked": False,
        "routing_version": 3,
        "created_at": AT,
    }
    return {**members, **changes}


def agent(**changes: object) -> Members:
    return wire(AgentAnswer(**{"instances": [], **_agent(**changes)}))


def agent_list(*names: str, **last: str) -> Members:
    summaries = [AgentSummary(**_agent(name=name)) for name in names]
    return wire(AgentList(agents=summaries, **last))


def instance() -> Instance:
    return Instance(
        registration_id="concierge--1",
        version="1.2.0",
        instance="pod-7",
        labels={"zone": "eu"},
        registered_at=AT,
        lease_until=AT,
        routing_version=3,
    )


def rotated() -> Members:
    return wire(
        Rotated(
            agent_name="concierge",
            routing_version=4,
            previous_routing_version=3,
            instances_to_move=2,
            outage_seconds=0,
            detail="Instances move at their next renewal.",
        )
    )


def grant(**changes: object) -> Members:
    members: Members = {
        "grant_id": GRANT,
        "agent_name": "concierge",
        "client_app_id": CLIENT,
        "scope": "application",
        "report_only": False,
        "reason": "the shop's backend",
        "granted_by": principal(OWNER),
        "granted_at": AT,
        "expired": False,
    }
    return wire(GrantAnswer(**{**members, **changes}))


def grant_list(*grants: Members, **last: str) -> Members:
    return wire(GrantList(grants=[GrantAnswer(**one) for one in grants], **last))


def checked(*, allowed: bool, **changes: object) -> Members:
    rule = "granted" if allowed else "no_grant"
    reason = ReasonAnswer(
        rule=rule,
        detail="The application has no grant.",
        change="Grant the agent to the application.",
        who="agent_owner",
    )
    members: Members = {
        "agent_name": "concierge",
        "allowed": allowed,
        "rule": rule,
        "reasons": [] if allowed else [reason],
    }
    return wire(Checked(**{**members, **changes}))


def _block() -> Members:
    return {
        "revocation_id": "agent:concierge",
        "kind": "agent",
        "subject": "concierge",
        "reason": "says nonsense",
        "blocked_by": principal(OWNER),
        "blocked_at": AT,
    }


def revocation_list(count: int = 1) -> Members:
    return wire(RevocationList(revocations=[RevocationAnswer(**_block())] * count, next=None))


def revoked(*beyond: BeyondReach, found: int = 3, ended: int = 3) -> Members:
    return wire(
        Revoked(**_block(), sessions_found=found, sessions_ended=ended, beyond_reach=list(beyond))
    )


def session(**changes: object) -> Members:
    members: Members = {
        "session_id": SESSION,
        "agent_name": "concierge",
        "room_name": f"eu-1--{SESSION}",
        "participant_identity": "caller 7",
        "state": "joined",
        "agent_status": "joined",
        "agent_dispatches": 1,
        "created_at": AT,
        "ends_at": AT,
    }
    return wire(SessionAnswer(**{**members, **changes}))


def session_list(*sessions: Members, **last: str) -> Members:
    return {"sessions": list(sessions), **last}


def limits(**changes: object) -> Members:
    members: Members = {
        "starts_per_minute_per_application": 1200,
        "starts_per_minute_per_user": 60,
    }
    return wire(LimitsAnswer(**{**members, **changes}))


def planned(*changes: Change, warnings: tuple[Finding, ...] = ()) -> Members:
    return wire(Planned(basis='"basis-1"', changes=list(changes), warnings=list(warnings)))


def applied(*changes: Change) -> Members:
    return wire(Applied(changes=list(changes), warnings=[]))


def policy(**agents: Members) -> Members:
    return wire(PolicyAnswer(limits=limits(), agents=agents))


def sweep_run(**changes: object) -> Members:
    made = RunAnswer(
        kind="full",
        began_at="2026-11-25T12:00:30+00:00",
        seconds=1.25,
        rooms=12,
        sessions=14,
        ended={"time_over": 1, "everyone_left": 2},
        agents_dispatched=1,
        rooms_removed=3,
        rows_removed=4,
        leases_ended=5,
        blocks_removed=6,
        failed=0,
        complete=True,
        stopped=False,
    )
    return wire(made.model_copy(update=changes))
