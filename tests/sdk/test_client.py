"""The client's reading of what LKPS, or a gateway in its place, answers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from lkps.client import AgentDescription, JobReport, LkpsClient
from lkps.errors import CredentialError, LkpsError, Refused, RegistrationNotFound, Unavailable
from tests.sdk.parts.answerer import Answerer, Told, answering, page, problem
from tests.sdk.parts.ports import free_port
from tests.sdk.parts.tenant import TenantDouble

AGENT = AgentDescription("concierge", version="1.2")
EXPIRY = datetime(2026, 11, 23, 23, 12, 33, tzinfo=UTC)
REGISTERED = {
    "registration_id": "concierge.1",
    "agent_name": "concierge",
    "deployment": "the-routing-secret",
    "routing_version": 1,
    "token": "the-token",
    "livekit_url": "wss://livekit.example",
    "expires_at": "2026-11-23T23:12:33Z",
    "renew_after": 60,
}


class StaticCredential:
    async def access_token(self) -> str:
        return "an-access-token"


class BrokenCredential:
    async def access_token(self) -> str:
        raise RuntimeError("a-claim-of-the-token")


@pytest.fixture
async def answerer() -> AsyncIterator[Answerer]:
    async with answering(Told(200, REGISTERED)) as answerer:
        yield answerer


@pytest.fixture
async def client(answerer: Answerer) -> AsyncIterator[LkpsClient]:
    client = LkpsClient(answerer.url, StaticCredential())
    yield client
    await client.aclose()


async def test_registering_sends_what_the_agent_is_and_reads_the_lease(
    client: LkpsClient, answerer: Answerer
) -> None:
    registration = await client.register(AGENT)

    (request,) = answerer.requests
    assert (request.method, request.path) == ("POST", "/gateway/api/agent/register")
    assert request.headers["Authorization"] == "Bearer an-access-token"
    assert len(request.headers["X-Request-ID"]) == 36
    assert answerer.bodies == [{"agent_name": "concierge", "version": "1.2"}]
    assert registration.expires_at == EXPIRY
    assert "the-token" not in repr(registration)
    assert "the-routing-secret" not in repr(registration)


async def test_renewing_says_which_token_and_which_secret_are_held(
    client: LkpsClient, answerer: Answerer
) -> None:
    lease = {name: REGISTERED[name] for name in ("deployment", "expires_at", "renew_after")}
    answerer.answer = Told(200, {**lease, "routing_version": 2})

    renewal = await client.renew("concierge.1", token_expires_at=EXPIRY, routing_version=1)

    (request,) = answerer.requests
    assert request.path == "/gateway/api/agent/registrations/concierge.1/renew"
    assert answerer.bodies == [{"token_expires_at": "2026-11-23T23:12:33Z", "routing_version": 1}]
    assert (renewal.token, renewal.routing_version) == (None, 2)


async def test_deregistering_deletes(client: LkpsClient, answerer: Answerer) -> None:
    answerer.answer = Told(204)

    await client.deregister("concierge.1")

    (request,) = answerer.requests
    assert (request.method, request.path) == (
        "DELETE",
        "/gateway/api/agent/registrations/concierge.1",
    )


@pytest.mark.parametrize("reason", [None, "process_exit_-9"])
async def test_a_jobs_outcome_is_told_of_its_registration(
    client: LkpsClient, answerer: Answerer, reason: str | None
) -> None:
    answerer.answer = Told(204)

    await client.report_job(
        "concierge.1", JobReport("concierge--abc", "agent-AJ_1", "failed", reason)
    )

    (request,) = answerer.requests
    path = "/gateway/api/agent/registrations/concierge.1/jobs"
    assert (request.method, request.path) == ("POST", path)
    said = {"session_id": "concierge--abc", "participant_identity": "agent-AJ_1"}
    why = {} if reason is None else {"reason": reason}
    assert answerer.bodies == [{**said, "outcome": "failed", **why}]


async def test_a_refused_report_is_an_error_like_any_other(
    client: LkpsClient, answerer: Answerer
) -> None:
    answerer.answer = problem(404, "session_not_found")

    with pytest.raises(Refused) as caught:
        await client.report_job("concierge.1", JobReport("concierge--abc", "me", "completed"))

    assert (caught.value.status, caught.value.code) == (404, "session_not_found")


async def test_a_clock_that_is_off_is_said_where_lkps_takes_no_token(
    client: LkpsClient, answerer: Answerer
) -> None:
    refusal = problem(401, "token_invalid")
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=6), usegmt=True)
    answerer.answer = replace(refusal, headers={**refusal.headers, "Date": date})

    with pytest.raises(Refused) as caught:
        await client.register(AGENT)

    assert str(caught.value) == (
        "LKPS refused: because (401 token_invalid, request request-1). this machine's clock is 6"
        " minutes behind: set it right"
    )


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            problem(401, "token_invalid"),
            Refused,
            r"because \(401 token_invalid, request request-1\)",
        ),
        (problem(403, "agent_not_runnable"), Refused, "runner of this agent"),
        (problem(404, "registration_not_found"), RegistrationNotFound, "because"),
        (problem(404, "path_unknown"), Refused, "Check LKPS_URL"),
        (problem(429, "too_many_requests"), Unavailable, "429 too_many_requests"),
        (problem(503, "livekit_unavailable"), Unavailable, "503 livekit_unavailable"),
        (page(404), Refused, "not one that LKPS gives"),
        (page(502), Unavailable, "502 unknown"),
        (page(200), Refused, "not one that LKPS gives"),
        (Told(200, []), Refused, "not one that LKPS gives"),
        (Told(200, {**REGISTERED, "expires_at": 5}), Refused, "not one that LKPS gives"),
        (Told(302, headers={"Location": "https://x/"}), Refused, "302 unknown"),
    ],
    ids=str,
)
async def test_every_other_answer_is_an_error_that_says_what_it_was(
    client: LkpsClient, answerer: Answerer, answer: Told, kind: type[LkpsError], said: str
) -> None:
    answerer.answer = answer

    with pytest.raises(kind, match=said) as caught:
        await client.register(AGENT)

    assert type(caught.value) is kind
    assert len(answerer.requests) == 1


async def test_lkps_says_when_to_come_back(client: LkpsClient, answerer: Answerer) -> None:
    answerer.answer = problem(503, "storage_unavailable", retry_after=7)

    with pytest.raises(Unavailable) as caught:
        await client.register(AGENT)

    assert caught.value.retry_after == 7


async def test_an_lkps_that_is_not_there_is_unavailable() -> None:
    client = LkpsClient(f"http://127.0.0.1:{free_port()}", StaticCredential())

    with pytest.raises(Unavailable) as caught:
        await client.register(AGENT)

    assert str(caught.value) == "LKPS cannot be reached at 127.0.0.1: ClientConnectorError"
    await client.aclose()


async def test_of_a_certificate_that_is_not_trusted_it_is_said_where_to_trust_it(
    tenant: TenantDouble,
) -> None:
    client = LkpsClient(tenant.authority, StaticCredential())

    with pytest.raises(Unavailable, match="SSL_CERT_FILE"):
        await client.register(AGENT)

    await client.aclose()


async def test_a_credential_of_the_applications_own_may_raise_anything() -> None:
    client = LkpsClient(f"http://127.0.0.1:{free_port()}", BrokenCredential())

    with pytest.raises(CredentialError) as caught:
        await client.register(AGENT)

    assert str(caught.value) == "BrokenCredential gave no token: RuntimeError"


async def test_a_password_in_netrc_is_not_sent_in_the_access_tokens_place(
    client: LkpsClient, answerer: Answerer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))

    await client.register(AGENT)

    assert answerer.sent("Authorization") == ["Bearer an-access-token"]


async def test_the_proxy_of_the_environment_is_asked(
    answerer: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{answerer.port}")
    monkeypatch.setenv("no_proxy", "localhost")
    client = LkpsClient("http://lkps.example", StaticCredential())

    await client.register(AGENT)

    assert answerer.sent("Host") == ["lkps.example"]
    await client.aclose()


async def test_a_host_that_the_environment_excepts_is_asked_itself(
    client: LkpsClient, answerer: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    await client.register(AGENT)

    assert len(answerer.requests) == 1
