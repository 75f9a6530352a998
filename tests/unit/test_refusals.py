"""Every refusal there is, provoked on the wire: its status, its code, its headers, its row."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from lkps_core import errors
from lkps_core.api.openapi import refusals
from lkps_core.api.operations import OPERATIONS
from lkps_core.auditing.holds import MOST as MOST_HOLDS
from lkps_core.auditing.holds import Hold
from lkps_core.call import Call
from lkps_core.errors import Refusal
from lkps_core.governance.grants import new_grant
from lkps_core.identity import Principal
from lkps_core.identity.principal import PrincipalId
from lkps_core.policy.model import PlatformLimits
from lkps_core.services import Services
from lkps_core.sessions.guests import MOST_GUESTS, MOST_INVITATIONS
from lkps_core.sweep.model import Turn
from lkps_core.wire.grants import CreateGrant
from lkps_core.wiring import wire
from tests.builders.lkps import (
    ADMIN,
    AGENT,
    CLIENT,
    MANAGER,
    OTHER_AGENT,
    Answered,
    Lkps,
    app,
    guid,
)
from tests.builders.stepping import SteppingRows, SteppingSessions
from tests.builders.tokens import TENANT, app_claims, bearer, user_claims

pytestmark = pytest.mark.usefixtures("impatient")

ANY_ID = "concierge--" + "a" * 26

type Provocation = Callable[[Lkps], Awaitable[Answered]]


@dataclass(frozen=True)
class Case:
    """How a class of refusal comes about; `operation` is whose description must name it."""

    kind: type[Refusal]
    provoke: Provocation
    operation: str | None = "session_start"
    headers: tuple[tuple[str, str], ...] = ()


async def _without_token(lkps: Lkps) -> Answered:
    return await lkps.start(by=None)  # type: ignore[arg-type]


async def _with_two_tokens(lkps: Lkps) -> Answered:
    return await lkps.start(by=f"{CLIENT}, {CLIENT}")


async def _with_a_bad_token(lkps: Lkps) -> Answered:
    return await lkps.start(by="Bearer a.b.c")


async def _with_an_expired_token(lkps: Lkps) -> Answered:
    return await lkps.start(by=bearer(app_claims(exp=1, nbf=0, iat=0)))


async def _without_role(lkps: Lkps) -> Answered:
    return await lkps.start(by=app("client", "LKPS.Auditor"))


async def _with_an_event_of_nobodys(lkps: Lkps) -> Answered:
    return await lkps.send("POST", "livekit/webhook", raw=b"{}")


async def _while_it_is_swept(lkps: Lkps) -> Answered:
    await lkps.turns.add(Turn("another", lkps.clock.now + timedelta(seconds=1)))
    return await lkps.send("POST", "sweep", {"reason": "a test"}, by=ADMIN)


async def _without_keys(lkps: Lkps) -> Answered:
    lkps.keys.is_reachable = False
    return await lkps.another_process().start()


async def _with_a_wrong_method(lkps: Lkps) -> Answered:
    return await lkps.send("PATCH", "session/start", by=CLIENT)


async def _with_much(lkps: Lkps) -> Answered:
    return await lkps.send("POST", "session/start", raw=b" " * 32769, by=CLIENT)


async def _with_a_form(lkps: Lkps) -> Answered:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await lkps.send("POST", "session/start", raw=b"a=b", by=CLIENT, headers=headers)


async def _with_nonsense(lkps: Lkps) -> Answered:
    return await lkps.send("POST", "session/start", raw=b"?", by=CLIENT)


async def _with_a_wrong_member(lkps: Lkps) -> Answered:
    return await lkps.start("NO NAME")


async def _with_a_bad_key(lkps: Lkps) -> Answered:
    return await lkps.start(key=" ")


async def _of_nobody(lkps: Lkps) -> Answered:
    return await lkps.start("nobody")


async def _of_anothers_name(lkps: Lkps) -> Answered:
    return await lkps.send("POST", "agent/register", {"agent_name": "concierge"}, by=OTHER_AGENT)


async def _unknown_agent(lkps: Lkps) -> Answered:
    return await lkps.send("GET", "agents/nobody", by=ADMIN)


async def _unknown_registration(lkps: Lkps) -> Answered:
    return await lkps.send("DELETE", f"agent/registrations/{ANY_ID}", by=AGENT)


async def _unknown_session(lkps: Lkps) -> Answered:
    return await lkps.send("GET", f"session/{ANY_ID}", by=CLIENT)


async def _with_no_invitation(lkps: Lkps) -> Answered:
    body = {"invitation": "never made"}
    return await lkps.send("POST", f"session/{ANY_ID}/token", body, by=CLIENT)


async def _with_an_invitation_too_many(lkps: Lkps) -> Answered:
    path = f"session/{(await lkps.start()).json['session_id']}/invitations"
    for _ in range(MOST_INVITATIONS):
        await lkps.send("POST", path, by=CLIENT)
    return await lkps.send("POST", path, by=CLIENT)


async def _with_a_guest_too_many(lkps: Lkps) -> Answered:
    path = f"session/{(await lkps.start()).json['session_id']}"
    for number in range(MOST_GUESTS + 1):
        made = (await lkps.send("POST", f"{path}/invitations", by=CLIENT)).json
        body = {"invitation": made["invitation"]}
        guest = app(f"guest {number}", "LKPS.Client")
        answer = await lkps.send("POST", f"{path}/token", body, by=guest)
    return answer


async def _after_the_end(lkps: Lkps) -> Answered:
    session_id = (await lkps.start(key="one")).json["session_id"]
    await lkps.send("POST", f"session/{session_id}/end", by=CLIENT)
    return await lkps.start(key="one")


async def _without_agent(lkps: Lkps) -> Answered:
    lkps.clock.pass_by(180)
    return await Lkps(
        {"LKPS_REQUIRE_AGENT": "true"}, lkps.clock, agents=lkps.agents, trail=lkps.trail, seed=7
    ).start()


async def _with_a_used_key(lkps: Lkps) -> Answered:
    await lkps.start(key="one")
    return await lkps.start(key="one", metadata="another")


async def _at_the_same_moment(lkps: Lkps) -> Answered:
    table = SteppingRows(lkps.agents)

    async def elsewhere() -> None:
        await lkps.assign({"beat_id": "B-1"})

    table.steps.once("replace", "before", elsewhere)
    return await replace(lkps, agents=table, seed=9).assign({})


async def _without_livekit(lkps: Lkps) -> Answered:
    lkps.rooms.down = True
    return await lkps.start()


async def _without_tables(lkps: Lkps) -> Answered:
    lkps.sessions.down = True
    return await lkps.start()


async def _without_trail(lkps: Lkps) -> Answered:
    lkps.trail.down = True
    return await lkps.start()


async def _without_settings(lkps: Lkps) -> Answered:
    async def services() -> Services:
        return wire({})

    lkps.api._services = services
    return await lkps.start()


async def _with_a_fault_of_ours(lkps: Lkps) -> Answered:
    table = SteppingSessions(lkps.sessions)
    table.steps.fail("add", RuntimeError("the particulars"))
    return await replace(lkps, sessions=table, seed=9).start()


NEW = {"client_app_id": guid("app client"), "reason": "a test"}
OWNER_ID, RUNNER_ID = ({"tid": TENANT, "oid": guid(name)} for name in ("sp manager", "sp agent"))
FRESH = {"if-match": "*"}


async def _managed(lkps: Lkps) -> None:
    """`concierge` has an owner beside its runner."""
    await lkps.assign({"owners": [OWNER_ID], "runners": [RUNNER_ID]})


async def _change(lkps: Lkps, body: object, by: str = MANAGER) -> Answered:
    return await lkps.send("PATCH", "agents/concierge", body, by=by, headers=FRESH)


async def _block(lkps: Lkps, by: str = ADMIN, **subject: str) -> Answered:
    return await lkps.send("POST", "revocations", {**subject, "reason": "a test"}, by=by)


async def _with_too_many_groups(lkps: Lkps) -> Answered:
    claims = user_claims(_claim_names={"groups": "src1"})
    return await lkps.start("nobody", by=bearer(claims))


async def _while_blocked(lkps: Lkps) -> Answered:
    await _block(lkps, client_app_id=guid("app client"))
    return await lkps.start()


async def _of_a_blocked_agent(lkps: Lkps) -> Answered:
    await _block(lkps, agent_name="concierge")
    return await lkps.send("POST", "agent/register", {"agent_name": "concierge"}, by=AGENT)


async def _by_its_own_runner(lkps: Lkps) -> Answered:
    await lkps.assign({"owners": [RUNNER_ID], "runners": [RUNNER_ID]})
    return await _change(lkps, {}, by=app("agent", "LKPS.Manage"))


async def _without_an_owner(lkps: Lkps) -> Answered:
    await _managed(lkps)
    return await _change(lkps, {"owners": []})


async def _without_oneself(lkps: Lkps) -> Answered:
    await _managed(lkps)
    return await _change(lkps, {"owners": [RUNNER_ID]})


async def _while_it_rotates(lkps: Lkps) -> Answered:
    path, body = "agents/concierge/rotate", {"reason": "a test"}
    await lkps.send("POST", path, body, by=ADMIN)
    return await lkps.send("POST", path, body, by=ADMIN)


async def _unknown_grant(lkps: Lkps) -> Answered:
    return await lkps.send("GET", "agents/concierge/grants/none", by=ADMIN)


async def _grant_again(lkps: Lkps) -> Answered:
    await lkps.send("POST", "agents/concierge/grants", NEW, by=ADMIN)
    other = {**NEW, "max_sessions": 7}
    return await lkps.send("POST", "agents/concierge/grants", other, by=ADMIN)


async def _with_a_grant_too_many(lkps: Lkps) -> Answered:
    grants = [{**NEW, "user_oid": guid(f"user {number}")} for number in range(500)]
    for grant in grants:
        await lkps.grants.add(
            new_grant(_call(lkps), "concierge", CreateGrant.model_validate(grant))
        )
    return await lkps.send("POST", "agents/concierge/grants", NEW, by=ADMIN)


def _call(lkps: Lkps) -> Call:
    principal = Principal("app", TENANT, guid("sp admin"), guid("app admin"), "uti", frozenset())
    return Call(principal, lkps.clock(), "grant_create", "request-1")


async def _unknown_block(lkps: Lkps) -> Answered:
    return await lkps.send("GET", "revocations/agent:nobody", by=ADMIN)


async def _block_oneself(lkps: Lkps) -> Answered:
    return await _block(lkps, client_app_id=guid("app admin"))


async def _unknown_hold(lkps: Lkps) -> Answered:
    return await lkps.send("DELETE", "audit/holds/agent:nobody", by=ADMIN)


async def _one_hold_too_many(lkps: Lkps) -> Answered:
    for number in range(MOST_HOLDS):
        author = PrincipalId(TENANT, guid("sp admin"))
        await lkps.holds.add(Hold(f"agent:a{number}", "a test", author, lkps.clock()))
    body = {"subject": "agent:concierge", "reason": "a test"}
    return await lkps.send("POST", "audit/holds", body, by=ADMIN)


async def _without_the_checkpoints_key(lkps: Lkps) -> Answered:
    lkps.signer.down = True
    return await lkps.send("GET", "audit/checkpoints", by=ADMIN)


async def _without_a_version(lkps: Lkps) -> Answered:
    return await lkps.send("PATCH", "agents/concierge", {}, by=ADMIN)


async def _of_another_version(lkps: Lkps) -> Answered:
    headers = {"if-match": '"another"'}
    return await lkps.send("PATCH", "agents/concierge", {}, by=ADMIN, headers=headers)


async def _with_a_wrong_page(lkps: Lkps) -> Answered:
    return await lkps.send("GET", "agents?limit=0", by=ADMIN)


async def _too_often(lkps: Lkps) -> Answered:
    await lkps.limits.add(PlatformLimits(starts_per_minute_per_application=1))
    await lkps.start()
    return await lkps.start()


async def _too_many(lkps: Lkps) -> Answered:
    await _change(lkps, {"max_sessions": 1}, by=ADMIN)
    await lkps.start()
    return await lkps.start()


BEARER = 'Bearer realm="lkps"'
INVALID = f'{BEARER}, error="invalid_token", error_description='
CASES = [
    Case(errors.CredentialsMissing, _without_token, headers=(("WWW-Authenticate", BEARER),)),
    Case(errors.CredentialsAmbiguous, _with_two_tokens),
    Case(
        errors.TokenInvalid,
        _with_a_bad_token,
        headers=(("WWW-Authenticate", f'{INVALID}"The token is not valid here"'),),
    ),
    Case(
        errors.TokenInvalid,
        _with_an_expired_token,
        headers=(("WWW-Authenticate", f'{INVALID}"The token has expired"'),),
    ),
    Case(
        errors.PermissionLacking,
        _without_role,
        headers=(
            (
                "WWW-Authenticate",
                f'{BEARER}, error="insufficient_scope", scope="LKPS.Client Session.Start"',
            ),
        ),
    ),
    Case(errors.EventNotSigned, _with_an_event_of_nobodys, None),
    Case(errors.KeysUnavailable, _without_keys),
    Case(
        errors.MethodNotAllowed,
        _with_a_wrong_method,
        operation=None,
        headers=(("Allow", "POST, OPTIONS"),),
    ),
    Case(errors.BodyTooLarge, _with_much),
    Case(errors.MediaTypeUnsupported, _with_a_form),
    Case(errors.BodyMalformed, _with_nonsense),
    Case(errors.BodyInvalid, _with_a_wrong_member),
    Case(errors.HeaderInvalid, _with_a_bad_key),
    Case(errors.AgentNotCallable, _of_nobody),
    Case(errors.AgentNotRunnable, _of_anothers_name, "agent_register"),
    Case(errors.GroupsOverage, _with_too_many_groups),
    Case(errors.CallerBlocked, _while_blocked),
    Case(errors.AgentBlocked, _of_a_blocked_agent, "agent_register"),
    Case(errors.AgentNotFound, _unknown_agent, "agent_show"),
    Case(errors.RunnerMayNotManage, _by_its_own_runner, "agent_change"),
    Case(errors.LastOwner, _without_an_owner, "agent_change"),
    Case(errors.WouldLockYouOut, _without_oneself, "agent_change"),
    Case(errors.RotationUnderWay, _while_it_rotates, "agent_rotate", (("Retry-After", "60"),)),
    Case(errors.GrantNotFound, _unknown_grant, "grant_show"),
    Case(errors.GrantExists, _grant_again, "grant_create"),
    Case(errors.TooManyGrants, _with_a_grant_too_many, "grant_create"),
    Case(errors.RevocationNotFound, _unknown_block, "revocation_show"),
    Case(errors.HoldNotFound, _unknown_hold, "hold_lift"),
    Case(errors.TooManyHolds, _one_hold_too_many, "hold_place"),
    Case(
        errors.SigningUnavailable,
        _without_the_checkpoints_key,
        "audit_checkpoints",
        (("Retry-After", "5"),),
    ),
    Case(errors.WouldBlockYourself, _block_oneself, "revocation_create"),
    Case(errors.PreconditionRequired, _without_a_version, "agent_change"),
    Case(errors.PreconditionFailed, _of_another_version, "agent_change"),
    Case(errors.QueryInvalid, _with_a_wrong_page, "agents_list"),
    Case(errors.RateLimited, _too_often, headers=(("Retry-After", "60"),)),
    Case(errors.TooManySessions, _too_many, headers=(("Retry-After", "10"),)),
    Case(errors.RegistrationNotFound, _unknown_registration, "agent_deregister"),
    Case(errors.SessionNotFound, _unknown_session, "session_show"),
    Case(errors.InvitationInvalid, _with_no_invitation, "session_join"),
    Case(errors.TooManyInvitations, _with_an_invitation_too_many, "session_invite"),
    Case(errors.TooManyGuests, _with_a_guest_too_many, "session_join"),
    Case(errors.SessionEnded, _after_the_end),
    Case(errors.AgentOffline, _without_agent, headers=(("Retry-After", "10"),)),
    Case(errors.KeyReused, _with_a_used_key),
    Case(errors.SweepUnderWay, _while_it_is_swept, "sweep_run", (("Retry-After", "30"),)),
    Case(errors.EditedMeanwhile, _at_the_same_moment, "agent_assign", (("Retry-After", "1"),)),
    Case(errors.LiveKitUnavailable, _without_livekit, headers=(("Retry-After", "5"),)),
    Case(errors.StorageUnavailable, _without_tables, headers=(("Retry-After", "5"),)),
    Case(errors.AuditUnavailable, _without_trail, headers=(("Retry-After", "5"),)),
    Case(errors.Misconfigured, _without_settings, None, (("Retry-After", "60"),)),
    Case(errors.Defect, _with_a_fault_of_ours, None),
]


def names(case: Case) -> str:
    return f"{case.kind.code}:{case.provoke.__name__}"


@pytest.fixture
async def lkps() -> Lkps:
    lkps = Lkps()
    await lkps.register()
    return lkps


def test_every_class_of_refusal_has_its_case() -> None:
    classes = {
        one
        for _, one in inspect.getmembers(errors, inspect.isclass)
        if issubclass(one, Refusal) and one is not Refusal
    }
    assert {case.kind for case in CASES} == classes


def test_every_code_is_its_classs_own() -> None:
    codes = [kind.code for kind in {case.kind for case in CASES}]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("case", CASES, ids=names)
async def test_a_refusal_is_a_problem_document_with_its_code(lkps: Lkps, case: Case) -> None:
    answer = await case.provoke(lkps)
    assert answer.status == case.kind.status
    document = answer.json
    detail, request_id = document.pop("detail"), document.pop("request_id")
    document.pop("errors", None)
    assert document == {
        "type": f"urn:lkps:problem:{case.kind.code}",
        "title": case.kind.title,
        "status": case.kind.status,
        "code": case.kind.code,
    }
    assert detail
    assert request_id == answer.headers["X-Request-ID"]
    assert dict(case.headers).items() <= dict(answer.headers).items()
    assert "particulars" not in answer.raw.decode()


@pytest.mark.parametrize("case", CASES, ids=names)
async def test_a_refusal_for_now_says_when_to_come_back(lkps: Lkps, case: Case) -> None:
    answer = await case.provoke(lkps)
    assert ("Retry-After" in answer.headers) == (case.kind.retry_after is not None)
    assert answer.status != 503 or "Retry-After" in answer.headers


@pytest.mark.parametrize("case", [one for one in CASES if one.operation], ids=names)
async def test_a_refusal_is_in_the_description_of_its_operation(case: Case) -> None:
    (operation,) = [one for one in OPERATIONS if one.name == case.operation]
    assert case.kind in refusals(operation)


AUTHENTICATED = [
    case
    for case in CASES
    if case.kind
    not in {
        errors.CredentialsMissing,
        errors.CredentialsAmbiguous,
        errors.TokenInvalid,
        errors.EventNotSigned,
        errors.KeysUnavailable,
        errors.MethodNotAllowed,
        errors.AuditUnavailable,
        errors.Misconfigured,
        errors.Defect,
    }
]


@pytest.mark.parametrize("case", AUTHENTICATED, ids=names)
async def test_the_refusal_of_a_known_caller_is_on_the_trail_with_its_reason(
    lkps: Lkps, case: Case
) -> None:
    answer = await case.provoke(lkps)
    await asyncio.sleep(0)  # a failure is recorded behind its answer
    await lkps.services.close()
    (row,) = [row for row in lkps.rows if row.get("rule") == case.kind.code]
    assert row["action"] == "request.refused"
    assert row["outcome"] == ("failed" if case.kind.status >= 500 else "refused")
    assert row["reason"]
    assert row["request_id"] == answer.headers["X-Request-ID"]
    assert {"kind", "tid", "oid", "azp", "uti", "operation", "at", "number"} <= row.keys()
    assert row["operation"] == case.operation


@pytest.mark.parametrize("case", CASES, ids=names)
async def test_no_token_leaves_with_a_refusal(lkps: Lkps, case: Case) -> None:
    answer = await case.provoke(lkps)
    assert b"eyJ" not in answer.raw
