"""`lkps doctor`: what each step finds, and how it says that it is to be mended."""

import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import requires, version
from typing import Any

import pytest
from aiohttp import web

from lkps.fitting import FITTING, is_fitting
from lkps_core.errors import (
    AgentNotFound,
    CallerBlocked,
    LiveKitUnavailable,
    PermissionLacking,
    TokenInvalid,
)
from tests.sdk.cli.parts.answers import agent, checked, instance, session, whoami
from tests.sdk.cli.parts.command import Command, Ran
from tests.sdk.cli.parts.lkps import PREFIX, refused
from tests.sdk.cli.parts.program import run
from tests.sdk.parts.tenant import (
    CLIENT_SECRET,
    TENANT_ID,
    TenantDouble,
    make_server_certificate,
    token,
)
from tests.sdk.parts.tenant import refused as refused_by_entra

API = "api-of-lkps"
STEPS = (
    *("versions", "livekit-agents", "settings", "no LiveKit key", "credential", "access token"),
    *("token version", "audience", "tenant", "token kind", "permissions", "expiry"),
    *("DNS", "TCP", "TLS", "gateway", "clock", "readiness", "accepted by LKPS", "LiveKit"),
    *("agent online", "grant", "test session"),
    *("LiveKit's WebSocket", "media over UDP", "media over TCP"),
    *("LiveKit's auto_create", "LiveKit's webhooks"),
)

Answer = Callable[[], web.Response]


def good(**changes: object) -> str:
    """A token that LKPS takes, but for the changes; None takes a claim out."""
    claims = {
        "ver": "2.0",
        "aud": API,
        "tid": TENANT_ID,
        "idtyp": "app",
        "roles": ["LKPS.Client"],
        "exp": int(time.time()) + 3600,
    }
    return token(**{k: v for k, v in {**claims, **changes}.items() if v is not None})


def body(members: object, status: int = 200) -> Answer:
    return lambda: web.json_response(members, status=status)


def page(status: int, **headers: str) -> Answer:
    """A gateway's own."""
    html = "<html>of the gateway</html>"
    return lambda: web.Response(text=html, status=status, content_type="text/html", headers=headers)


@dataclass
class Service:
    """LKPS as all is well, but for the answers that a test changes; `ahead` is its clock."""

    answers: dict[str, Answer] = field(
        default_factory=lambda: {
            "health/live": body({"status": "live"}),
            "health/ready": body({"status": "ready"}),
            "/rtc/validate": page(401),  # LiveKit, as it refuses who shows no token
            "agents/concierge": body(agent(instances=[instance()])),
            "authorization/check": body(checked(allowed=True)),
        }
    )
    ahead: timedelta = timedelta()
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix(f"{PREFIX}/api/")
        self.asked.append(path)
        response = self.answers.get(path, page(404))()
        date = datetime.now(UTC) + self.ahead
        response.headers["Date"] = format_datetime(date, usegmt=True)
        return response


async def _serving(service: Service, context: ssl.SSLContext | None) -> web.ServerRunner:
    runner = web.ServerRunner(web.Server(service.answer, access_log=None))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    scheme = "https" if context else "http"
    origin = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
    service.url = f"{origin}{PREFIX}"
    permissions = ["LKPS.Client", "LKPS.Manage"]
    service.answers["whoami"] = body(
        whoami(permissions=permissions, livekit_url=origin.replace("http", "ws"))
    )
    return runner


@pytest.fixture
async def healthy() -> AsyncIterator[Service]:
    service = Service()
    runner = await _serving(service, None)
    yield service
    await runner.cleanup()


@pytest.fixture
def patient(lkps: Command, healthy: Service, tenant: TenantDouble) -> Command:
    """An application for whom all is well."""
    lkps.environment["LKPS_URL"] = healthy.url
    tenant.tokens = [good()]
    return lkps


@dataclass
class Case:
    """What is changed, in a world where all is well, and what is found then."""

    step: str
    said: str
    fix: str
    claims: dict[str, object] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    ahead: timedelta = timedelta()
    options: tuple[str, ...] = ()


NOT_READY = {"status": "not_ready"}
LIVEKIT_DOWN = {**NOT_READY, "dependencies": {"keys": "ready", "livekit": "timeout"}}
NOWHERE = "http://127.0.0.1:9"  # that of "discard", where nobody listens

CASES = {
    "no address": Case(
        "settings", "missing: LKPS_URL", "export LKPS_URL=", environment={"LKPS_URL": ""}
    ),
    "an address in the clear": Case(
        "settings",
        "must be an https:// address",
        "export LKPS_URL=https://",
        environment={"LKPS_URL": "http://gateway.example/lkps"},
    ),
    "a LiveKit key": Case(
        "no LiveKit key",
        "LIVEKIT_API_KEY and LIVEKIT_API_SECRET set",
        "unset LIVEKIT_API_KEY LIVEKIT_API_SECRET",
        environment={"LIVEKIT_API_KEY": "k", "LIVEKIT_API_SECRET": "s"},
    ),
    "nobody": Case(
        "credential",
        "nothing says who calls",
        "lkps login",
        environment={"AZURE_CLIENT_SECRET": ""},
    ),
    "half an application": Case(
        "credential",
        "client-secret: AZURE_CLIENT_SECRET is set",
        "set AZURE_CLIENT_ID",
        environment={"AZURE_CLIENT_ID": ""},
    ),
    "an unknown mode": Case(
        "credential",
        "LKPS_CREDENTIAL must be one of",
        "unset LKPS_CREDENTIAL",
        environment={"LKPS_CREDENTIAL": "magic"},
    ),
    "a wrong secret": Case(
        "access token",
        "the client secret is wrong",
        "set AZURE_CLIENT_SECRET to its value, not to its id",
        environment={"AZURE_CLIENT_SECRET": "wrong"},
    ),
    "Entra ID away": Case(
        "access token",
        "Entra ID cannot be reached",
        "ask who runs the network",
        environment={"LKPS_AUTHORITY": NOWHERE.replace("http", "https")},
    ),
    "an old token version": Case(
        "token version", "1.0, and LKPS takes 2.0", "requestedAccessTokenVersion", {"ver": "1.0"}
    ),
    "another audience": Case(
        "audience", "api://other", "Set LKPS_API_CLIENT_ID", {"aud": "api://other"}
    ),
    "another tenant": Case("tenant", "another", "Set AZURE_TENANT_ID", {"tid": "another"}),
    "no kind": Case("token kind", "idtyp is missing", "include_user_token", {"idtyp": None}),
    "no role": Case(
        "permissions",
        "none of LKPS's app roles",
        "assign the application: LKPS.Agent (runs agents), LKPS.Client",
        {"roles": None},
    ),
    "roles of others": Case(
        "permissions", "it has ['Other']", "LKPS.Agent (runs agents)", {"roles": ["Other"]}
    ),
    "a role that does not call": Case(
        "permissions",
        "LKPS.Agent; what was asked for here needs LKPS.Client",
        "LKPS.Client (starts sessions)",
        {"roles": ["LKPS.Agent"]},
        options=("--agent", "concierge", "--call"),
    ),
    "a role that does not administer": Case(
        "permissions", "needs LKPS.Admin", "LKPS.Admin", options=("--platform",)
    ),
    "a person without scopes": Case(
        "permissions",
        "none of LKPS's scopes (it has User.Read)",
        "Sign in again and allow it",
        {"idtyp": "user", "scp": "User.Read", "roles": None},
    ),
    "an administrator's scope alone": Case(
        "permissions",
        "Platform.Admin without the role LKPS.Admin",
        "Sign in again",
        {"idtyp": "user", "scp": "Platform.Admin", "roles": None},
    ),
    "an expired token": Case(
        "expiry", "the token expired", "clock right", {"exp": int(time.time()) - 600}
    ),
    "a name that nobody has": Case(
        "DNS",
        "no address of lkps.invalid can be found",
        "nslookup lkps.invalid",
        environment={"LKPS_URL": "https://lkps.invalid/lkps"},
    ),
    "a closed port": Case(
        "TCP",
        "nothing can be reached at 127.0.0.1:",
        "have the network opened",
        environment={"LKPS_URL": NOWHERE},
    ),
    "a page for everything": Case(
        "gateway",
        "404, with another's page and not LKPS's (text/html)",
        "it needs the gateway's prefix",
        answers={"health/live": page(404)},
    ),
    "a gateway that gets nowhere": Case(
        "gateway", "502", "does not get through to LKPS", answers={"health/live": page(502)}
    ),
    "a gateway with its own sign-in": Case(
        "gateway", "401", "a sign-in of its own", answers={"health/live": page(401)}
    ),
    "a redirection": Case(
        "gateway",
        "302",
        "sent elsewhere",
        answers={"health/live": page(302, Location="https://login.example/")},
    ),
    "a clock ahead": Case("clock", "5 minutes ahead", "timedatectl", ahead=timedelta(minutes=-5)),
    "not ready": Case(
        "readiness",
        "tells its administrators only",
        "Ask the platform team",
        answers={"health/ready": body(NOT_READY, 503)},
    ),
    "LiveKit down, to an administrator": Case(
        "readiness",
        "LKPS is not ready: livekit (timeout)",
        "LKPS_LIVEKIT_API_URL",
        answers={"health/ready": body(LIVEKIT_DOWN, 503)},
    ),
    "a token refused": Case(
        "accepted by LKPS",
        "(401 token_invalid, request ",
        "LKPS_TENANT_ID",
        answers={"whoami": lambda: refused(TokenInvalid("signature"))},
    ),
    "a blocked caller": Case(
        "accepted by LKPS",
        "403 caller_blocked",
        "lkps unblock",
        answers={"whoami": lambda: refused(CallerBlocked())},
    ),
    "permission lacking": Case(
        "accepted by LKPS",
        "403 permission_lacking",
        "See permissions above",
        answers={"whoami": lambda: refused(PermissionLacking("LKPS.Client"))},
    ),
    "an agent offline": Case(
        "agent online",
        "no instance of concierge is registered",
        "python agent.py start",
        answers={"agents/concierge": body(agent())},
        options=("--agent", "concierge"),
    ),
    "a blocked agent": Case(
        "agent online",
        "concierge is blocked",
        "lkps unblock agent:concierge",
        answers={"agents/concierge": body(agent(blocked=True))},
        options=("--agent", "concierge"),
    ),
    "no such agent": Case(
        "agent online",
        "there is no agent concierge",
        "lkps agents list",
        answers={
            "agents/concierge": lambda: refused(AgentNotFound()),
            "whoami": body(whoami(permissions=["LKPS.Admin"])),
        },
        options=("--agent", "concierge"),
    ),
    "no grant": Case(
        "grant",
        "concierge may not be called: The application has no grant.",
        "Grant the agent to the application. By: an owner of the agent",
        answers={"authorization/check": body(checked(allowed=False))},
        options=("--agent", "concierge"),
    ),
    "LiveKit out of reach": Case(
        "LiveKit",
        "cannot be reached: ClientConnectorError",
        "Have the network opened",
        answers={"whoami": body(whoami(livekit_url=NOWHERE.replace("http", "ws")))},
    ),
    "another in LiveKit's place": Case(
        "LiveKit",
        "answers 502, which is not LiveKit",
        "lets no WebSocket through",
        answers={"/rtc/validate": page(502)},
    ),
    "LiveKit makes rooms": Case(
        "LiveKit's auto_create",
        "on: whoever has a token brings back a room",
        "room.auto_create: false",
        {"roles": ["LKPS.Admin"]},
        answers={
            "whoami": body(whoami(permissions=["LKPS.Admin"])),
            "platform/check": body({"auto_create": True, "webhook_seconds": 0.1}),
        },
        options=("--platform",),
    ),
    "LiveKit tells nothing": Case(
        "LiveKit's webhooks",
        "did not tell LKPS of a room's end within 5 s",
        "webhook.urls",
        {"roles": ["LKPS.Admin"]},
        answers={
            "whoami": body(whoami(permissions=["LKPS.Admin"])),
            "platform/check": body({"auto_create": False}),
        },
        options=("--platform",),
    ),
    "LiveKit is away": Case(
        "LiveKit's auto_create",
        "LKPS does not reach LiveKit",
        "LKPS_LIVEKIT_API_URL",
        {"roles": ["LKPS.Admin"]},
        answers={
            "whoami": body(whoami(permissions=["LKPS.Admin"])),
            "platform/check": lambda: refused(LiveKitUnavailable(reason="away")),
        },
        options=("--platform",),
    ),
}


def found(ran: Ran) -> dict[str, dict[str, str]]:
    return {one["step"]: one for one in ran.json["findings"]}


async def test_where_all_is_well_every_step_says_so_and_the_code_is_0(patient: Command) -> None:
    ran = await patient("doctor", "--agent", "concierge")

    states = {
        line[13:35].rstrip(): line[:13].rstrip() for line in ran.out.splitlines()[: len(STEPS)]
    }
    assert ran.code == 0, ran
    assert tuple(states) == STEPS
    assert [step for step, state in states.items() if state != "ok"] == list(STEPS[-6:])
    assert "client-secret: AZURE_CLIENT_SECRET is set" in ran.out
    assert ran.out.endswith("Nothing is wrong; 6 not checked.\n")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_each_finding_comes_with_its_fix(
    patient: Command, healthy: Service, tenant: TenantDouble, case: Case
) -> None:
    tenant.tokens = [good(**case.claims)] * 2
    patient.environment |= case.environment
    healthy.answers |= case.answers
    healthy.ahead = case.ahead

    ran = await patient("doctor", "--json", *case.options)

    finding = found(ran)[case.step]
    assert ran.code == 1
    assert finding["state"] == "failed"
    assert case.said in finding["said"]
    assert case.fix in finding["fix"]
    assert set(STEPS) <= found(ran).keys()


async def test_what_needs_a_failed_step_is_not_checked_and_all_else_is(patient: Command) -> None:
    patient.environment["AZURE_CLIENT_SECRET"] = "wrong"

    findings = found(await patient("doctor", "--agent", "concierge", "--json"))

    states = {step: one["state"] for step, one in findings.items()}
    assert states["access token"] == "failed"
    assert states["gateway"] == states["readiness"] == states["clock"] == "ok"
    assert findings["audience"]["said"] == "there is no access token"
    assert findings["accepted by LKPS"]["said"] == "there is no access token"
    assert findings["grant"]["said"] == "LKPS did not accept the caller"
    assert [one for one in findings.values() if one["fix"]] == [findings["access token"]]


async def test_a_failure_is_a_line_and_its_fix_the_next(patient: Command, healthy: Service) -> None:
    healthy.ahead = timedelta(minutes=5)

    lines = (await patient("doctor")).out.splitlines()

    (at,) = [number for number, line in enumerate(lines) if line.startswith("failed")]
    assert lines[at].split(None, 2)[1:] == ["clock", "this machine's clock is 5 minutes behind"]
    assert lines[at + 1].lstrip().startswith("-> Set it right")


async def test_a_certificate_that_nobody_trusts_is_told_apart(
    patient: Command, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("certificate")
    service = Service()
    runner = await _serving(service, make_server_certificate(folder, folder / "ca.pem"))
    patient.environment["LKPS_URL"] = service.url
    try:
        distrusted = found(await run(patient.environment, "doctor", "--json"))
        patient.environment["SSL_CERT_FILE"] = str(folder / "ca.pem")
        trusted = found(await run(patient.environment, "doctor", "--json"))
    finally:
        await runner.cleanup()

    assert distrusted["TCP"]["state"] == "ok"
    assert "not trusted" in distrusted["TLS"]["said"]
    assert "SSL_CERT_FILE" in distrusted["TLS"]["fix"]
    assert distrusted["gateway"]["state"] == "not checked"
    assert trusted["TLS"]["state"] == trusted["gateway"]["state"] == "ok"


async def test_who_may_not_see_an_agent_is_told_so(patient: Command, healthy: Service) -> None:
    healthy.answers["whoami"] = body(whoami(permissions=["LKPS.Agent"]))

    findings = found(await patient("doctor", "--agent", "concierge", "--json"))

    assert findings["agent online"]["state"] == findings["grant"]["state"] == "not checked"
    assert "owners and administrators" in findings["agent online"]["said"]
    assert "lkps check concierge --client" in findings["grant"]["said"]


async def test_without_call_no_session_is_started(patient: Command, healthy: Service) -> None:
    await patient("doctor", "--agent", "concierge")

    assert "session/start" not in healthy.asked


async def test_a_call_needs_an_agent(patient: Command, healthy: Service) -> None:
    assert (await patient("doctor", "--call")).code == 2
    assert (await patient("doctor", "--agent", "Con/cierge")).code == 2
    assert healthy.asked == []


def started(livekit_url: str) -> dict[str, Any]:
    return {
        "session_id": session()["session_id"],
        "participant_token": "the-participant-token",
        "livekit_url": livekit_url,
        "room_name": "room",
        "participant_identity": "caller",
        "agent_status": "offline",
        "expires_at": "2099-01-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("status", "said", "fix"),
    [
        (None, "cannot be reached", "Have the network opened"),
        (401, "answers 401: it takes no token of LKPS's", "LKPS_LIVEKIT_API_KEY"),
        (404, "answers 404: it does not know the room", "two LiveKits"),
        (503, "answers 503", "lets no WebSocket through"),
    ],
    ids=["away", "another's key", "another LiveKit", "a proxy"],
)
async def test_a_livekit_that_lets_nobody_in_is_a_finding_and_the_session_is_ended(
    patient: Command, healthy: Service, status: int | None, said: str, fix: str
) -> None:
    livekit = Service(answers={"/rtc": page(status or 200)})
    runner = await _serving(livekit, None)
    origin = livekit.url.removesuffix(PREFIX).replace("http", "ws")
    if status is None:
        await runner.cleanup()
    else:
        livekit.answers = {path: page(status) for path in ("/rtc", "/rtc/v1", "/rtc/validate")}
    healthy.answers["session/start"] = body(started(origin))
    healthy.answers[f"session/{session()['session_id']}/end"] = body(session(state="ended"))

    ran = await patient("doctor", "--agent", "concierge", "--call", "--json")
    await runner.cleanup()

    socket = found(ran)["LiveKit's WebSocket"]
    assert said in socket["said"]
    assert fix in socket["fix"]
    assert found(ran)["media over UDP"]["said"] == "the WebSocket failed"
    assert "no instance of the agent is online" in found(ran)["test session"]["said"]
    assert found(ran)["end of the session"]["state"] == "ok"
    assert "the-participant-token" not in ran.out + ran.err


async def test_no_secret_is_shown(patient: Command, tenant: TenantDouble) -> None:
    tenant.tokens = [good()] * 2
    for options in ((), ("--json",)):
        ran = await patient("doctor", *options)
        signed = [part for one in tenant.issued for part in (one, one.split(".")[1])]
        assert [one for one in (CLIENT_SECRET, *signed) if one in ran.out + ran.err] == []


async def test_a_refusal_by_entra_is_explained(patient: Command, tenant: TenantDouble) -> None:
    tenant.answers = [refused_by_entra(7000222)]

    finding = found(await patient("doctor", "--json"))["access token"]

    assert "the client secret has expired" in finding["said"]
    assert finding["fix"].startswith("Make another")


def test_the_range_of_livekit_agents_is_that_of_the_package() -> None:
    (said,) = [one for one in requires("lkps-sdk") or [] if one.startswith("livekit-agents")]
    low, high = (".".join(map(str, one)) for one in FITTING)
    assert f">={low}" in said
    assert f"<{high}" in said
    assert is_fitting(version("livekit-agents"))
    assert [one for one in ("1.5.9", "1.9.0", "2.0.0", "?") if is_fitting(one)] == []


IMPORTED = """
import sys
import lkps.doctor
print(*sorted(one for one in ("livekit", "livekit.agents", "typer") if one in sys.modules))
"""


def test_the_doctor_imports_neither_livekit_nor_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "\n"
