"""Every refusal there is, provoked on the wire: its status, its code, its headers, its row."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from lkps_core import errors
from lkps_core.api.openapi import refusals
from lkps_core.api.operations import OPERATIONS
from lkps_core.errors import Refusal
from lkps_core.services import Services
from lkps_core.wiring import wire
from tests.builders.lkps import ADMIN, AGENT, CLIENT, OTHER_AGENT, Answered, Lkps, app
from tests.builders.stepping import SteppingRows
from tests.builders.tokens import app_claims, bearer

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
        await lkps.send("PUT", "agents/concierge", {"beat_id": "B-1"}, by=ADMIN)

    table.steps.once("replace", "before", elsewhere)
    return await replace(lkps, agents=table, seed=9).send("PUT", "agents/concierge", {}, by=ADMIN)


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
    table = SteppingRows(lkps.sessions)
    table.steps.fail("add", RuntimeError("the particulars"))
    return await replace(lkps, sessions=table, seed=9).start()


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
    Case(errors.AgentNotFound, _unknown_agent, "agent_show"),
    Case(errors.RegistrationNotFound, _unknown_registration, "agent_deregister"),
    Case(errors.SessionNotFound, _unknown_session, "session_show"),
    Case(errors.SessionEnded, _after_the_end),
    Case(errors.AgentOffline, _without_agent, headers=(("Retry-After", "10"),)),
    Case(errors.KeyReused, _with_a_used_key),
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
